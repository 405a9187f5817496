//! Plain data as JSON text: a writer behind serde's derive that cannot fail and brings no tables into the download.
//!
//! Keys of maps are strings. Numbers that JSON lacks become `null`. There is no reader and no pretty printer.

use crate::decimal::{Width, plain};
use serde::Serialize;
use serde::ser::{self, Serializer};
use std::fmt::{self, Write};

/// `value` as JSON on one line.
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = String::new();
    let Ok(()) = value.serialize(Writer(&mut out));
    out
}

/// Writing to a string never fails.
#[derive(Debug)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Self {
        panic!("only plain data is written as JSON")
    }
}

/// Text in quotes.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\0'..='\x1f' => {
                out.push_str(if c < '\x10' { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(c as u32 % 16, 16));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// The entries of a list or an object so far.
struct Items<'a> {
    out: &'a mut String,
    close: &'static str,
}

impl<'a> Items<'a> {
    fn open(out: &'a mut String, open: char, close: &'static str) -> Self {
        out.push(open);
        Self { out, close }
    }

    /// A variant with content: an object whose only key is the variant's name.
    fn open_variant(out: &'a mut String, name: &str, open: char, close: &'static str) -> Self {
        out.push('{');
        quoted(out, name);
        out.push(':');
        Self::open(out, open, close)
    }

    fn separate(&mut self) {
        // No entry ends like this: strings end in a quote, inner lists with their own closing bracket.
        if !self.out.ends_with(['[', '{']) {
            self.out.push(',');
        }
    }

    fn entry<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        self.separate();
        value.serialize(Writer(self.out))
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Never> {
        self.separate();
        quoted(self.out, key);
        self.out.push(':');
        value.serialize(Writer(self.out))
    }

    fn close(self) -> Result<(), Never> {
        self.out.push_str(self.close);
        Ok(())
    }
}

/// The text written so far.
struct Writer<'a>(&'a mut String);

impl Writer<'_> {
    fn show(self, value: impl fmt::Display) -> Result<(), Never> {
        // A string takes everything.
        let _ = write!(self.0, "{value}");
        Ok(())
    }
}

macro_rules! shown {
    ($($method:ident: $ty:ty),*) => {$(
        fn $method(self, value: $ty) -> Result<(), Never> { self.show(value) }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    shown!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    shown!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    shown!(serialize_bool: bool);

    fn serialize_f32(self, value: f32) -> Result<(), Never> {
        if value.is_finite() {
            self.show(plain(value.into(), Width::Single))
        } else {
            self.serialize_none()
        }
    }

    fn serialize_f64(self, value: f64) -> Result<(), Never> {
        if value.is_finite() {
            self.show(plain(value, Width::Double))
        } else {
            self.serialize_none()
        }
    }

    fn serialize_char(self, value: char) -> Result<(), Never> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Never> {
        quoted(self.0, text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Never> {
        bytes.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Never> {
        self.0.push_str("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Never> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Never> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Never> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        let mut object = Items::open(self.0, '{', "}");
        object.field(variant, value)?;
        object.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Never> {
        Ok(Items::open(self.0, '[', "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Never> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Never> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, Never> {
        Ok(Items::open_variant(self.0, variant, '[', "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Never> {
        Ok(Items::open(self.0, '{', "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Never> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, Never> {
        Ok(Items::open_variant(self.0, variant, '{', "}}"))
    }
}

macro_rules! lists {
    ($($kind:ident: $method:ident),*) => {$(
        impl ser::$kind for Items<'_> {
            type Ok = ();
            type Error = Never;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> { self.entry(value) }
            fn end(self) -> Result<(), Never> { self.close() }
        }
    )*};
}
lists!(SerializeSeq: serialize_element, SerializeTuple: serialize_element);
lists!(SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);

macro_rules! objects {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Items<'_> {
            type Ok = ();
            type Error = Never;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Never> {
                self.field(key, value)
            }
            fn end(self) -> Result<(), Never> { self.close() }
        }
    )*};
}
objects!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Never> {
        self.entry(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        self.out.push(':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), Never> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Pair(u8, Unit);

    #[derive(Serialize)]
    enum Shape {
        Empty,
        Wide(i64),
        Two(bool, char),
        Named { inner: Pair },
    }

    #[test]
    fn every_shape_reads_back_as_serde_json_has_it() {
        let shapes = (
            [
                Shape::Empty,
                Shape::Wide(-3),
                Shape::Two(true, '"'),
                Shape::Named {
                    inner: Pair(7, Unit),
                },
            ],
            (Vec::<u8>::new(), Vec::from([Vec::<i8>::new(), vec![1]])),
            Option::<f32>::None,
            Some([1e-9f64, 1e300, -0.5, f64::NAN, f64::INFINITY]),
            std::collections::BTreeMap::from([("a", ()), ("[", ())]),
        );
        let own: Value = serde_json::from_str(&json(&shapes)).expect("JSON");
        assert_eq!(own, serde_json::to_value(&shapes).expect("plain data"));
    }

    #[test]
    fn the_comparison_sees_a_difference() {
        assert_ne!(json("a"), json("b"));
        assert_eq!(
            json(&['\u{1}', '\u{1f}', '\n']),
            r#"["\u0001","\u001f","\n"]"#
        );
    }

    proptest! {
        #[test]
        fn text_reads_back(texts: Vec<String>, whole: u64) {
            let value = (texts, whole);
            prop_assert_eq!(serde_json::from_str::<(Vec<String>, u64)>(&json(&value)).expect("JSON"), value);
        }

        #[test]
        fn numbers_read_back(number: f64, single: f32) {
            // By the standard library: serde_json reads numbers to within an ulp.
            prop_assert_eq!(json(&number).parse(), Ok(number));
            prop_assert_eq!(json(&single).parse(), Ok(single));
            prop_assert!(serde_json::from_str::<f64>(&json(&number)).is_ok());
        }
    }
}
