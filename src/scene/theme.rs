//! Colour roles and layers: what is drawn has a role, the page gives each role its colour in each theme.

use serde::Serialize;

/// What a colour is for. The order is that of [`Role::NAMES`] and of `set_theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Background of the stage.
    Stage,
    /// Text and strong lines.
    Ink,
    /// Labels.
    Muted,
    /// Grid lines.
    Grid,
    /// Contours of the target.
    Contour,
    /// Shading of the target's density.
    Density,
    /// Particles.
    Particle,
    /// Where particles came from.
    Trail,
    /// SVGD's drift.
    Drift,
    /// SVGD's repulsion.
    Repulsion,
    /// The kernel's width.
    Kernel,
    /// Curve of the first pane.
    Pane0,
    /// Curve of the second pane.
    Pane1,
    /// Curve of the third pane.
    Pane2,
    /// Curve of the fourth pane.
    Pane3,
    /// Reference lines in charts.
    Reference,
}

impl Role {
    /// Names in index order; the page's style defines `--c-<name>` for each.
    pub const NAMES: [&'static str; 16] = [
        "stage",
        "ink",
        "muted",
        "grid",
        "contour",
        "density",
        "particle",
        "trail",
        "drift",
        "repulsion",
        "kernel",
        "pane0",
        "pane1",
        "pane2",
        "pane3",
        "reference",
    ];

    /// The curve colour of pane `index`.
    pub fn pane(index: usize) -> Self {
        [Self::Pane0, Self::Pane1, Self::Pane2, Self::Pane3][index % 4]
    }
}

/// One colour `0xRRGGBBAA` a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme([u32; 16]);

impl Default for Theme {
    /// The light theme; the page sends its own before the first picture.
    fn default() -> Self {
        Self([
            0xfbfa_f7ff,
            0x1d23_2aff,
            0x5d66_70ff,
            0xe3e1_dbff,
            0x3f6f_a0ff,
            0x7fa8_d0ff,
            0xc244_1cff,
            0xe08a_5aff,
            0x0b7a_5aff,
            0x8a3f_b0ff,
            0x8a6d_00ff,
            0xc244_1cff,
            0x1f66_b0ff,
            0x0b7a_5aff,
            0x8a3f_b0ff,
            0x7a7f_86ff,
        ])
    }
}

impl Theme {
    /// Takes `0xRRGGBBAA` words in role order; missing ones keep their colour.
    pub fn set(&mut self, colours: &[u32]) {
        for (own, new) in self.0.iter_mut().zip(colours) {
            *own = *new;
        }
    }

    /// Red, green, blue, alpha, 0–255.
    pub fn rgba(&self, role: Role) -> [u8; 4] {
        self.0[role as usize].to_be_bytes()
    }
}

/// Something on the stage that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Name in `set_layers`.
    pub id: &'static str,
    /// Name on the page.
    pub label: &'static str,
    /// Tooltip.
    pub doc: &'static str,
    /// Whether it is drawn at first.
    pub default: bool,
}

/// Every layer, from back to front.
pub const LAYERS: [Layer; 7] = [
    Layer {
        id: "density",
        label: "Density",
        doc: "Shading by the target density π, or by the density that a model has learned.",
        default: true,
    },
    Layer {
        id: "contours",
        label: "Contours",
        doc: "Edges of the highest-density regions that hold 20, 40, 60, 80 and 95 % of the target's mass.",
        default: true,
    },
    Layer {
        id: "ways",
        label: "Ways",
        doc: "The ways of up to 160 particles through a flow, in another colour where they break the Hamilton–Jacobi–Bellman equation.",
        default: true,
    },
    Layer {
        id: "trails",
        label: "Trails",
        doc: "Where each particle was in the last frames; up to 2,000 particles.",
        default: false,
    },
    Layer {
        id: "particles",
        label: "Particles",
        doc: "The cloud itself: discs, or a density of points where there are many.",
        default: true,
    },
    Layer {
        id: "arrows",
        label: "Forces",
        doc: "The two parts of the velocity apart, drift and repulsion, on about 150 particles at a common scale.",
        default: false,
    },
    Layer {
        id: "kernel",
        label: "Kernel width",
        doc: "A circle of the kernel's width h around the particle nearest to the pointer.",
        default: false,
    },
];

/// Which layers are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    on: [bool; LAYERS.len()],
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            on: LAYERS.map(|layer| layer.default),
        }
    }
}

impl Layers {
    fn index(id: &str) -> Option<usize> {
        LAYERS.iter().position(|layer| layer.id == id)
    }

    /// Whether the layer `id` is drawn; an unknown one is not.
    pub fn shows(&self, id: &str) -> bool {
        Self::index(id).is_some_and(|i| self.on[i])
    }

    /// Switches the layers that `states` names; unknown names are ignored.
    pub fn switch<'a>(&mut self, states: impl IntoIterator<Item = (&'a str, bool)>) {
        for (id, on) in states {
            if let Some(i) = Self::index(id) {
                self.on[i] = on;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_index_their_names() {
        assert_eq!(Role::Reference as usize + 1, Role::NAMES.len());
        assert_eq!(Role::NAMES[Role::Particle as usize], "particle");
        assert_eq!(Role::NAMES[Role::pane(2) as usize], "pane2");
    }

    #[test]
    fn unknown_layers_are_ignored() {
        let mut layers = Layers::default();
        layers.switch([("trails", true), ("nonsense", true)]);
        assert!(layers.shows("trails") && !layers.shows("nonsense"));
    }
}
