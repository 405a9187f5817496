//! Parameters, declared once. `params!` makes a plain struct of typed fields and, from the same lines, the specs that
//! the manifest, the controls, the link codec and the command line are generated from.
//!
//! Deliberately not here: the link grammar (`link`) and any system's parameters (`systems`).

mod value;

#[cfg(test)]
mod tests;

pub use value::{Bandwidth, Matrix, MetricBandwidth, Numbers, ParamValue, quote, shortest};

use crate::error::Problem;
use serde::Serialize;

/// What an edit of a parameter does to a run in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Takes effect at the next step.
    Live,
    /// The programs are compiled anew, the state is kept.
    Rebuild,
    /// The run starts again from step 0.
    Restart,
}

/// The kind of control and of syntax a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A whole number.
    Integer,
    /// A real number.
    Number,
    /// One word of `choices`.
    Choice,
    /// Comma-separated numbers (matrices row-major).
    List,
    /// Free text.
    Text,
    /// A number, or the single word of `choices`.
    NumberOr,
}

/// One word of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The word in the link.
    pub id: &'static str,
    /// The name on the page.
    pub label: &'static str,
}

/// All that is known of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// Key in the link.
    pub key: &'static str,
    /// Short name with the field's symbol.
    pub label: &'static str,
    /// One or two sentences for the tooltip and `describe`.
    pub doc: String,
    /// Control and syntax.
    pub kind: Kind,
    /// What an edit does.
    pub class: Class,
    /// Smallest allowed value of a number (or entry of a list).
    pub min: f64,
    /// Largest allowed value.
    pub max: f64,
    /// Whether a slider is logarithmic.
    pub log: bool,
    /// Allowed words.
    pub choices: &'static [Choice],
    /// The value that a link leaves out.
    pub default: String,
    /// Heading it stands under; empty for the system's own.
    pub group: &'static str,
    /// Shown only while another parameter has one of these values.
    pub only_if: Option<(&'static str, &'static [&'static str])>,
}

impl Spec {
    const fn of(label: &'static str, class: Class) -> Self {
        Self {
            key: "",
            label,
            doc: String::new(),
            kind: Kind::Number,
            class,
            min: f64::NEG_INFINITY,
            max: f64::INFINITY,
            log: false,
            choices: &[],
            default: String::new(),
            group: "",
            only_if: None,
        }
    }
    /// A parameter whose edits take effect at the next step.
    pub const fn live(label: &'static str) -> Self {
        Self::of(label, Class::Live)
    }
    /// A parameter whose edits recompile the programs and keep the state.
    pub const fn rebuild(label: &'static str) -> Self {
        Self::of(label, Class::Rebuild)
    }
    /// A parameter whose edits start the run again.
    pub const fn restart(label: &'static str) -> Self {
        Self::of(label, Class::Restart)
    }
    /// Allowed range, both ends included.
    pub const fn range(mut self, min: f64, max: f64) -> Self {
        self.min = min;
        self.max = max;
        self
    }
    /// Allowed range on a logarithmic slider.
    pub const fn log(self, min: f64, max: f64) -> Self {
        let mut spec = self.range(min, max);
        spec.log = true;
        spec
    }
    /// Its name, type and heading. Used by `params!`.
    #[doc(hidden)]
    pub const fn of_field<T: ParamValue>(mut self, key: &'static str, group: &'static str) -> Self {
        self.key = key;
        self.kind = T::KIND;
        self.choices = T::CHOICES;
        self.group = group;
        self
    }
    /// Shown only while `key` has one of `values`.
    pub const fn only_if(mut self, key: &'static str, values: &'static [&'static str]) -> Self {
        self.only_if = Some((key, values));
        self
    }
}

/// A value that was refused: why, and the nearest allowed one where there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What is wrong and what is allowed.
    pub problem: Problem,
    /// What a lenient reader may use instead.
    pub nearest: Option<String>,
}

/// A set of parameters behind one interface (object safe).
pub trait Params {
    /// Every parameter in declaration order; `default` is the present value of `self`, so ask a fresh instance.
    fn specs(&self) -> Vec<Spec>;
    /// Sets `key` from link text. `None`: no such key here.
    ///
    /// # Errors
    /// The text is not a value of this parameter, or out of its range.
    fn set(&mut self, key: &str, text: &str) -> Option<Result<(), Refusal>>;
    /// The value of `key` as link text.
    fn get(&self, key: &str) -> Option<String>;
}

/// One field of a set, whatever its type. Used by `params!`, so that a set is a table and not code for each parameter.
#[doc(hidden)]
pub trait Field {
    /// Writes link text.
    fn text(&self) -> String;
    /// Reads link text.
    fn assign(&mut self, text: &str, spec: &Spec) -> Result<(), Refusal>;
}

impl<T: ParamValue> Field for T {
    fn text(&self) -> String {
        self.show()
    }
    fn assign(&mut self, text: &str, spec: &Spec) -> Result<(), Refusal> {
        match T::parse(text, spec) {
            Ok(value) => {
                *self = value;
                Ok(())
            }
            Err((message, nearest)) => Err(Refusal {
                problem: Problem::new(spec.key, message),
                nearest: nearest.map(|v| v.show()),
            }),
        }
    }
}

/// What is known of a parameter before the program runs, and its doc comment.
#[doc(hidden)]
pub type Declared = (Spec, &'static str);

/// Appends the specs of a set's own fields. Used by `params!`.
#[doc(hidden)]
pub fn describe(specs: &mut Vec<Spec>, declared: &[Declared], fields: &[&dyn Field]) {
    for ((spec, doc), field) in declared.iter().zip(fields) {
        let mut spec = spec.clone();
        spec.doc = doc.trim().to_owned();
        spec.default = field.text();
        specs.push(spec);
    }
}

/// [`Params::set`] of a set's own fields. Used by `params!`.
#[doc(hidden)]
pub fn set(
    declared: &[Declared],
    fields: &mut [&mut dyn Field],
    key: &str,
    text: &str,
) -> Option<Result<(), Refusal>> {
    let at = declared.iter().position(|(spec, _)| spec.key == key)?;
    Some(fields[at].assign(text, &declared[at].0))
}

/// [`Params::get`] of a set's own fields. Used by `params!`.
#[doc(hidden)]
pub fn get(declared: &[Declared], fields: &[&dyn Field], key: &str) -> Option<String> {
    let at = declared.iter().position(|(spec, _)| spec.key == key)?;
    Some(fields[at].text())
}

/// Declares a struct of parameters.
///
/// ```text
/// params! {
///     /// Unadjusted Langevin algorithm. A shared set has a heading: `pub struct Sampling in "Initial cloud" {`.
///     pub struct Ula {
///         groups { sampling: Sampling }
///         /// Tooltip text.
///         temper: f32 = 1.0, Spec::live("temperature T").log(0.01, 100.0);
///     }
/// }
/// ```
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* pub struct $name:ident $(in $heading:literal)? {
        $(groups { $($group:ident : $group_ty:ty),* $(,)? })?
        $($(#[doc = $doc:expr])+ $field:ident : $ty:ty = $default:expr, $spec:expr;)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = "Shared parameters."] pub $group: $group_ty,)*)?
            $($(#[doc = $doc])+ pub $field: $ty,)*
        }
        impl Default for $name {
            fn default() -> Self {
                Self { $($($group: <$group_ty>::default(),)*)? $($field: $default,)* }
            }
        }
        impl $name {
            const HEADING: &'static str = concat!($($heading)?);
            const DECLARED: &'static [$crate::params::Declared] = &[$((
                $spec.of_field::<$ty>(stringify!($field), Self::HEADING),
                concat!($($doc),+),
            ),)*];
        }
        impl $crate::params::Params for $name {
            fn specs(&self) -> Vec<$crate::params::Spec> {
                let mut specs = Vec::new();
                $($(specs.extend(self.$group.specs());)*)?
                $crate::params::describe(&mut specs, Self::DECLARED, &[$(&self.$field),*]);
                specs
            }
            fn set(&mut self, key: &str, text: &str) -> Option<std::result::Result<(), $crate::params::Refusal>> {
                $($(if let Some(done) = self.$group.set(key, text) { return Some(done); })*)?
                $crate::params::set(Self::DECLARED, &mut [$(&mut self.$field),*], key, text)
            }
            fn get(&self, key: &str) -> Option<String> {
                $($(if let Some(text) = self.$group.get(key) { return Some(text); })*)?
                $crate::params::get(Self::DECLARED, &[$(&self.$field),*], key)
            }
        }
    };
}

/// Declares an enum that is a choice parameter: `Variant = "id" "label"`.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[doc = $doc:expr])+ $variant:ident = $id:literal $label:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }
        impl $crate::params::ParamValue for $name {
            const KIND: $crate::params::Kind = $crate::params::Kind::Choice;
            const CHOICES: &'static [$crate::params::Choice] =
                &[$($crate::params::Choice { id: $id, label: $label },)+];
            fn parse(text: &str, _: &$crate::params::Spec) -> std::result::Result<Self, (String, Option<Self>)> {
                match text {
                    $($id => Ok(Self::$variant),)+
                    _ => Err((format!("{} is not one of {}", $crate::params::quote(text), [$($id),+].join(", ")), None)),
                }
            }
            fn show(&self) -> String {
                match self { $(Self::$variant => $id,)+ }.to_owned()
            }
        }
    };
}
