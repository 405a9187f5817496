//! What is measured of a network or its limit.

use super::{GRID, Net, Ntk, Spectrum, grid_angle};
use crate::graph::{Graph, Program};
use crate::linalg;
use crate::metrics::{Curve, Metric, Scale};

static LOSS: Curve = Curve {
    id: "training_loss",
    label: "training loss",
    definition: "½ mean (f − y)² over the training points, with their noise.",
    unit: "",
    scale: Scale::Log,
};

static HELD_OUT: Curve = Curve {
    id: "held_out_loss",
    label: "held-out loss",
    definition: "½ mean (f − f*)² over 129 angles around the circle, without noise.",
    unit: "",
    scale: Scale::Log,
};

static FIRST: Curve = Curve {
    id: "residual_top",
    label: "residual along v₁…₃",
    definition: "Norm of the part of f − y in the three eigendirections of the limit’s kernel with the largest eigenvalues, over that \
                 of the whole residual at the start.",
    unit: "",
    scale: Scale::Log,
};

static LAST: Curve = Curve {
    id: "residual_rest",
    label: "residual along the rest",
    definition: "Norm of the part of f − y in all other eigendirections, over that of the whole residual at the start.",
    unit: "",
    scale: Scale::Log,
};

static DEVIATION: Curve = Curve {
    id: "prediction_error",
    label: "error of the prediction",
    definition: "Distance of the residual from V (1 − ηλ/N)^t Vᵀ(f₀ − y), the limit’s prediction from the same start, over the norm of \
                 the residual at the start.",
    unit: "",
    scale: Scale::Log,
};

static KERNEL_ERROR: Curve = Curve {
    id: "kernel_error",
    label: "kernel against the limit",
    definition: "‖Θ − Θ_∞‖/‖Θ_∞‖ of the network’s kernel at present, on the training points, in Frobenius norm.",
    unit: "",
    scale: Scale::Log,
};

static KERNEL_DRIFT: Curve = Curve {
    id: "kernel_drift",
    label: "movement of the kernel",
    definition: "‖Θ − Θ₀‖/‖Θ_∞‖ on the training points: how far the network’s kernel has moved since the start.",
    unit: "",
    scale: Scale::Log,
};

impl Ntk {
    /// What is measured, in the order of the charts.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut curves = vec![&LOSS, &HELD_OUT, &FIRST, &LAST, &DEVIATION];
        if self.net == Net::Finite {
            curves.extend([&KERNEL_ERROR, &KERNEL_DRIFT]);
        }
        curves.into_iter().map(Metric::Curve).collect()
    }

    /// Writes the curves.
    pub(super) fn curves(&self, spectrum: &Spectrum) -> Program {
        let g = Graph::default();
        let n = self.points;
        let residual = self.residual(&g);
        g.assign(LOSS.id, residual.square().total() * (0.5 / n as f64));
        let truth: Vec<f64> = (0..GRID).map(|i| self.truth(grid_angle(i))).collect();
        let error = self.values(&g, n..n + GRID) - g.constant(truth, &[GRID, 1]);
        g.assign(HELD_OUT.id, error.square().total() * (0.5 / GRID as f64));
        let start = g.input("start", &[n, 1]);
        let size = start.square().total().sqrt() + 1e-30;
        let now = self.coordinates(spectrum, residual);
        let top = n.min(3);
        let part = |first: usize, count: usize| {
            let part = now.slice(0, first, count);
            part.square().total().sqrt() / size
        };
        g.assign(FIRST.id, part(0, top));
        let rest = if n > top {
            part(top, n - top)
        } else {
            g.scalar(0.0)
        };
        g.assign(LAST.id, rest);
        let off = now - start * g.input("decay", &[n, 1]);
        g.assign(DEVIATION.id, off.square().total().sqrt() / size);
        if self.net == Net::Finite {
            let exact = self.kernels_of(&self.samples().0).tangent;
            let scale = 1.0 / linalg::norm(&exact);
            let own = self.own_kernel(&g);
            let error = own - g.constant(exact, &[n, n]);
            g.assign(KERNEL_ERROR.id, error.square().total().sqrt() * scale);
            let moved = own - g.input("kernel", &[n, n]);
            g.assign(KERNEL_DRIFT.id, moved.square().total().sqrt() * scale);
        }
        g.compile("curves")
    }
}
