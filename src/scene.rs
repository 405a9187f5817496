//! The picture of a run: frames and panes, a particle rasteriser, contours, arrows, charts, and the draw list that
//! carries vectors to a canvas.
//!
//! Everything here works on plain numbers. It knows no browser, no session and no link: `playground` feeds it,
//! and a device's painter (`exec::gpu`) draws from the same descriptions.

mod arrows;
mod axes;
mod contour;
mod density;
mod drawlist;
mod foreground;
mod histogram;
mod layout;
mod plot;
mod raster;
mod theme;
mod ticks;
mod trails;
mod view;
mod ways;

pub use arrows::{Field, arrows, common_scale};
pub use axes::{
    GUTTER, TITLE, axes, contours, contours_over, kernel_circle, line_axes, marks, note, title,
};
pub use contour::{HDR_MASSES, HdrTable, contour_lines, ellipse};
pub use density::Grid;
pub use drawlist::{Align, Baseline, Dash, DrawList, Marker, TextStyle};
pub use foreground::Foreground;
pub use histogram::{Histogram, SCATTER, strip, strip_band};
pub use layout::{Rect, panes};
pub use plot::{Across, Chart, Curve, Reference};
pub use raster::{
    Brush, Canvas, CloudStyle, DEEPEST, FILL, HALO, SATURATED, THICKEST, THINNEST, Tone, spread,
};
pub use theme::{LAYERS, Layer, Layers, Role, Theme};
pub use ticks::{Scale, Ticks, short};
pub use trails::{FOLLOWED, LENGTH, TrailStyle, Trails, stride};
pub use view::{Frame, View};
pub use ways::Ways;
