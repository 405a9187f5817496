//! The picture of a run: frames and panes, a particle rasteriser, contours, arrows, charts, and the draw list that
//! carries vectors to a canvas.
//!
//! Everything here works on plain numbers. It knows no browser, no session and no link: `playground` feeds it.

mod arrows;
mod axes;
mod contour;
mod density;
mod drawlist;
mod histogram;
mod layout;
mod plot;
mod raster;
mod theme;
mod ticks;
mod trails;
mod view;

pub use arrows::{Field, arrows, common_scale};
pub use axes::{
    GUTTER, TITLE, axes, contours, contours_over, kernel_circle, line_axes, marks, note, title,
};
pub use contour::{HDR_MASSES, HdrTable, contour_lines, ellipse};
pub use density::Grid;
pub use drawlist::{Align, Baseline, Dash, DrawList, Marker, TextStyle};
pub use histogram::{Histogram, strip};
pub use layout::{Rect, panes};
pub use plot::{Chart, Curve, Reference};
pub use raster::{Canvas, CloudStyle};
pub use theme::{LAYERS, Layer, Layers, Role, Theme};
pub use ticks::{Scale, Ticks, short};
pub use trails::Trails;
pub use view::{Frame, View};
