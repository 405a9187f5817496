//! `list --parity`: every system on the CPU and on this machine's device, from equal states.

use crate::error::Error;
use crate::exec::gpu::Device;
use crate::link::{VERSION, defaults};
use crate::session::{Session, Status};
use crate::systems::{Entry, Inputs, REGISTRY};

/// Steps that both executors do.
const STEPS: u32 = 20;
/// Particles, where a system takes a number of them: a software device is slow.
const PARTICLES: &str = "256";

/// A table, a line a system: the worst difference of any entry of the state, |cpu − gpu| / (1 + |cpu|), after a few steps.
///
/// # Errors
/// No device, or one that was lost.
pub fn table() -> Result<String, Error> {
    let no_device = |e: &dyn std::fmt::Display| Error::NoDevice(e.to_string());
    let device = pollster::block_on(Device::open()).map_err(|e| no_device(&e))?;
    let mut out = format!(
        "{:<14} {:>9} {:>9}  worst difference, against {}\n",
        "system",
        "cpu",
        "gpu",
        device.name()
    );
    for entry in REGISTRY {
        let (mut cpu, mut gpu) = (start(None, entry)?, start(Some(&device), entry)?);
        let mut steps = Vec::new();
        for run in [&mut cpu, &mut gpu] {
            while run.step() < STEPS && *run.status() == Status::Ready {
                run.advance(u64::MAX, STEPS - run.step());
                run.settle();
            }
            if let Status::Lost(reason) = run.status() {
                return Err(no_device(reason));
            }
            steps.push(run.step());
        }
        let pairs = cpu.particles().iter().zip(gpu.particles());
        let apart = |(a, b): (&f32, &f32)| (a - b).abs() / (1.0 + a.abs());
        let worst = pairs.map(apart).fold(0.0, f32::max);
        out += &format!(
            "{:<14} {:>3} steps {:>3} steps  {worst:.1e}\n",
            entry.id, steps[0], steps[1]
        );
    }
    Ok(out)
}

fn start(device: Option<&Device>, entry: &'static Entry) -> Result<Session, Error> {
    let mut system = defaults(VERSION, entry);
    // Systems without particles have no n.
    let _ = system.set("n", PARTICLES);
    Session::on(device, entry, system, Inputs::default())
}
