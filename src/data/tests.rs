use super::*;
use crate::error::Error;
use proptest::prelude::*;

fn read(text: &str) -> Table {
    match Table::parse_csv("t.csv", text) {
        Ok(table) => table,
        Err(error) => panic!("{text:?}: {error}"),
    }
}

fn message(text: &str) -> String {
    match Table::parse_csv("t.csv", text) {
        Ok(table) => panic!("{text:?} was read as {table:?}"),
        Err(error @ Error::File { .. }) => error.to_string(),
        Err(error) => panic!("{text:?}: unexpected kind of error {error:?}"),
    }
}

#[test]
fn dialects_read_alike() {
    let expected = [1.0, -2.5, 3e-4, 4.0];
    let texts = [
        "1,-2.5\n3e-4,4\n",
        "a,b\n1,-2.5\n3e-4,4",
        "\u{feff}a;b\r\n1;-2.5\r\n3e-4;4\r\n\r\n\r\n",
        "\"a,1\";\"b\"\n\"1\" ; -2.5\n3e-4;\"4\"\n",
        "a\tb\n1\t-2.5\n3e-4\t4\n",
        "# x0, x1\n 1 , -2.5 \n\n+3e-4,4.\n \n",
    ];
    for text in texts {
        let table = read(text);
        assert_eq!((table.columns, table.rows()), (2, 2), "{text:?}");
        assert_eq!(table.values, expected, "{text:?}");
    }
    assert_eq!(read("\"say \"\"x\"\"\",y\n1,2").names, ["say \"x\"", "y"]);
    assert_eq!(read("7").values, [7.0]);
}

#[test]
fn errors_name_file_line_and_cell() {
    let cases = [
        ("", "t.csv: the file has no rows of numbers"),
        ("a,b\n", "t.csv: the file has no rows of numbers"),
        (
            "a,b\n1,2\n3,x\n",
            "t.csv: line 3, cell 2: `x` is not a number",
        ),
        ("1,b\n", "t.csv: line 1, cell 2: `b` is not a number"),
        ("1,2\n\n3\n", "t.csv: line 3: 1 cells, but 2 columns"),
        ("1,2,\n", "t.csv: line 1, cell 3: empty"),
        (
            "1,nan\n",
            "t.csv: line 1, cell 2: `nan` is not a finite number",
        ),
        (
            "1e39\n",
            "t.csv: line 1, cell 1: `1e39` is not a finite number",
        ),
        (
            "x;y\n1,5;2\n",
            "t.csv: line 2, cell 1: `1,5` is not a number; write decimals with a point",
        ),
        (
            "\"1,2\n",
            "t.csv: line 1, cell 1: a quote is opened but not closed",
        ),
        (
            "\"1\"2,3\n",
            "t.csv: line 1, cell 1: text after the closing quote",
        ),
    ];
    for (text, expected) in cases {
        let found = message(text);
        assert!(found.starts_with(expected), "{text:?}: {found}");
    }
    assert!(message(&vec!["1"; 129].join(",")).contains("at most 128"));
    let bytes = Table::read_csv("t.csv", b"1,2\n\xff\xfe");
    assert!(bytes.is_err_and(|e| e.to_string().contains("line 2: not UTF-8")));
}

#[test]
fn the_row_limit_is_exact() {
    let most = "0\n".repeat(1_000_000);
    assert_eq!(read(&most).rows(), 1_000_000);
    assert!(message(&format!("{most}0\n")).contains("line 1000001: more than 1000000 rows"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Table::read_csv("t.csv", &bytes);
    }

    #[test]
    fn no_table_like_text_panics(text in "([0-9.,;\t\"\r\n eE+-]|nan|inf|é){0,120}") {
        if let Ok(table) = Table::parse_csv("t.csv", &text) {
            prop_assert_eq!(table.rows() * table.columns, table.values.len());
            prop_assert!(table.values.iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn tables_round_trip(columns in 1usize..6, bits in prop::collection::vec(any::<u32>(), 1..60)) {
        let mut values: Vec<f32> = bits.into_iter().map(f32::from_bits).filter(|v| v.is_finite()).collect();
        values.truncate(values.len() / columns * columns);
        prop_assume!(!values.is_empty());
        let table = Table { names: (0..columns).map(|i| format!("x{i}")).collect(), columns, values };
        let unnamed = Table { names: vec![], ..table.clone() };
        let back = read(&unnamed.to_csv());
        prop_assert_eq!(back, table);
    }
}

#[test]
fn the_penguins_are_all_there() {
    let data = penguins::regression();
    assert_eq!(data.signed.len(), 333 * 7);
    assert_eq!((data.moments.0.len(), data.moments.1.len()), (7, 49));
    let males = data.signed.iter().step_by(7).filter(|s| **s > 0.0).count();
    assert_eq!(males, 168);
    for column in 1..5 {
        // Standardised: squares add up to n, whatever the sign; f64 throughout.
        let squares: f64 = data.signed.chunks(7).map(|row| row[column].powi(2)).sum();
        assert!((squares - 333.0).abs() < 1e-9, "column {column}: {squares}");
    }
    let covariance = &data.moments.1;
    assert!(crate::linalg::cholesky(covariance, 7).is_some());
}
