//! Tests of numbers.

use super::*;

#[test]
fn integers() {
    accept(
        ColumnType::Integer,
        &[
            (Value::Null, ""),
            (Value::Int(-7), "-7"),
            (Value::Uint(u64::MAX), "18446744073709551615"),
            (text("+007"), "7"),
            (text("-0"), "0"),
            (text("5.000"), "5"),
            (text("1.5e1"), "15"),
            (text("500E-2"), "5"),
            (text("-123456789012345678901234567890"), "-123456789012345678901234567890"),
            (Value::Float(-5.0), "-5"),
            (Value::Float(-0.0), "0"),
            (Value::Float(9_007_199_254_740_992.0), "9007199254740992"),
            (Value::Float32(16_777_216.0), "16777216"),
        ],
    );
    refuse(
        ColumnType::Integer,
        &[
            Value::Bool(true),
            text(""),
            text("5.1"),
            text("1e-1"),
            text("12a"),
            text(" 5"),
            text("0x10"),
            text("-"),
            text("--5"),
            text("1e401"),
            text("1e99999999999999999999"),
            Value::Text("٣".as_bytes()),
            Value::Float(0.5),
            Value::Float(1e16),
            Value::Float(f64::INFINITY),
            Value::Bytes(b"5"),
            Value::Date(0),
        ],
    );
}

#[test]
fn floats() {
    accept(
        ColumnType::Float,
        &[
            (Value::Null, ""),
            (Value::Float(1.0), "1.0"),
            (Value::Float(0.1), "0.1"),
            (Value::Float(1e21), "1e21"),
            (Value::Float(-0.0), "0.0"),
            (Value::Float(5e-324), "5e-324"),
            (Value::Float(f64::MAX), "1.7976931348623157e308"),
            (Value::Float32(0.1), "0.1"),
            (Value::Int(3), "3.0"),
            (Value::Uint(1 << 63), "9.223372036854776e18"),
            (text("1.50"), "1.5"),
            (text("1e+21"), "1e21"),
        ],
    );
    // A 32-bit number looks like the 64-bit number of the same digits, on both sides of every change of notation.
    for exponent in -45..=38 {
        let digits = format!("1.25e{exponent}");
        let (single, double): (f32, f64) = (digits.parse().unwrap(), digits.parse().unwrap());
        if single.to_string() == double.to_string() {
            assert_eq!(bi(ColumnType::Float, Value::Float32(single)), bi(ColumnType::Float, Value::Float(double)));
        }
    }
    refuse(
        ColumnType::Float,
        &[
            Value::Float(f64::NAN),
            Value::Float32(f32::INFINITY),
            Value::Int(i64::MAX),
            Value::Uint((1 << 53) + 1),
            text("NaN"),
            text("1e999"),
            text("one"),
            text(""),
            Value::Bool(false),
        ],
    );
}

#[test]
fn decimals() {
    accept(
        ColumnType::Decimal,
        &[
            (Value::Null, ""),
            (text("1.50"), "1.5"),
            (text("-0.00"), "0"),
            (text("+00012.3400"), "12.34"),
            (text(".5"), "0.5"),
            (text("5."), "5"),
            (text("-1.5e-7"), "-0.00000015"),
            (text("1.25e5"), "125000"),
            (text("12345e-2"), "123.45"),
            (text("0.00012e2"), "0.012"),
            (text("0e400"), "0"),
            (Value::Int(100), "100"),
            (Value::Uint(0), "0"),
            (Value::Float(1.5), "1.5"),
            (Value::Float(1e21), "1000000000000000000000"),
            (Value::Float(1e-7), "0.0000001"),
            (Value::Float32(0.1), "0.1"),
        ],
    );
    refuse(ColumnType::Decimal, &[text("NaN"), text("."), text("1e"), text("1,5"), text("1e-401"), Value::Bool(true)]);
    let money = Column { scale: Scale::Exactly(2), ..Column::new("price", ColumnType::Decimal) };
    let written = |value| cell_in(&Format::Bi, &money, &TimeZone::UTC, value);
    for (value, expected) in [
        (text("1.5"), "1.50"),
        (text("0"), "0.00"),
        (text("-0.5000"), "-0.50"),
        (Value::Int(-3), "-3.00"),
        (text("1e-2"), "0.01"),
        (text("7e2"), "700.00"),
    ] {
        assert_eq!(written(value).as_deref(), Ok(expected));
    }
    assert!(written(text("0.005")).is_err());
}

#[test]
fn what_is_no_finite_number_is_called_by_its_name() {
    let found = |kind, value| bi(kind, value).unwrap_err();
    for kind in [ColumnType::Decimal, ColumnType::Integer, ColumnType::Float] {
        for value in [text("NaN"), Value::Float(f64::NAN), Value::Float32(f32::NAN)] {
            assert_eq!(found(kind, value), "NaN", "{kind} {value:?}");
        }
        for value in [text("Infinity"), text("-Infinity"), Value::Float(f64::NEG_INFINITY)] {
            assert_eq!(found(kind, value), "infinity", "{kind} {value:?}");
        }
        assert_eq!(found(kind, text("nano")), "text that is no number");
    }
    assert_eq!(found(ColumnType::Decimal, text("1e999")), "text that is no number");
    assert_eq!(found(ColumnType::Float, text("1e999")), "a number too large for a 64-bit float");
}

#[test]
fn decimals_have_the_scale_that_the_database_declares_unless_the_catalogue_does() {
    let column = Column::new("x", ColumnType::Decimal);
    let scaled = Column { scale: Scale::Exactly(1), ..column.clone() };
    let written = |column: &Column, scale, value| {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&Format::Bi, std::slice::from_ref(column), &TimeZone::UTC).with_scales(&[scale]);
        encoder.cell(value, &mut out).map(|()| String::from_utf8(out).unwrap()).map_err(|fault| fault.found)
    };
    for (value, stored, at_least_two) in [
        (text("1.50"), "1.50", "1.50"),
        (text("1.500"), "1.500", "1.50"),
        (text("1.5"), "1.5", "1.50"),
        (text("1.505"), "1.505", "1.505"),
        (text("0"), "0", "0.00"),
        (text("-0.00"), "0.00", "0.00"),
        (text("+07.10"), "7.10", "7.10"),
        (text("1.50e1"), "15.0", "15.00"),
        (text("1.5e-2"), "0.015", "0.015"),
        (Value::Float(12.5), "12.5", "12.50"),
        (Value::Int(3), "3", "3.00"),
    ] {
        assert_eq!(written(&column, Scale::AsStored, value).as_deref(), Ok(stored), "{value:?}");
        assert_eq!(written(&column, Scale::AtLeast(2), value).as_deref(), Ok(at_least_two), "{value:?}");
    }
    for declared in [Scale::AsStored, Scale::AtLeast(2)] {
        assert_eq!(written(&scaled, declared, text("1.50")).as_deref(), Ok("1.5"));
        assert!(written(&scaled, declared, text("1.55")).is_err());
    }
}

proptest! {
    #[test]
    fn floats_come_back(number in any::<f64>(), single in any::<f32>()) {
        if number.is_finite() {
            let digits = bi(ColumnType::Float, Value::Float(number)).unwrap();
            prop_assert_eq!(digits.parse::<f64>().unwrap().to_bits(), (number + 0.0).to_bits());
            prop_assert_eq!(bi(ColumnType::Float, text(&digits)), Ok(digits.clone()));
            // Text and float give the same exact number.
            prop_assert_eq!(bi(ColumnType::Decimal, Value::Float(number)), bi(ColumnType::Decimal, text(&digits)));
        }
        if single.is_finite() {
            let digits = bi(ColumnType::Float, Value::Float32(single)).unwrap();
            prop_assert_eq!(digits.parse::<f32>().unwrap().to_bits(), (single + 0.0).to_bits());
        }
    }

    #[test]
    fn exact_numbers_come_back(number in any::<i128>(), places in 0_usize..40, exponent in -60_i32..60) {
        // The same digits with the point at another place, and the exponent that puts it back.
        let digits = format!("{:0>1$}", number.unsigned_abs(), places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if number < 0 { "-" } else { "" };
        let moved = format!("{sign}{whole}.{fraction}e{}", places as i32 + exponent);
        let written = bi(ColumnType::Decimal, text(&moved)).unwrap();
        let expected = bi(ColumnType::Decimal, text(&format!("{number}e{exponent}"))).unwrap();
        prop_assert_eq!(&written, &expected);
        if exponent >= 0 {
            prop_assert_eq!(&written, &format!("{number}{:0>1$}", "", if number == 0 { 0 } else { exponent as usize }));
            prop_assert_eq!(bi(ColumnType::Integer, text(&moved)), Ok(written));
        } else {
            prop_assert!(!written.contains('.') || !written.ends_with(['.', '0']));
        }
    }

    #[test]
    fn whole_numbers_come_back(signed in any::<i64>(), unsigned in any::<u64>()) {
        prop_assert_eq!(bi(ColumnType::Integer, Value::Int(signed)), Ok(signed.to_string()));
        prop_assert_eq!(bi(ColumnType::Decimal, Value::Uint(unsigned)), Ok(unsigned.to_string()));
        let is_exact = signed as f64 as i128 == i128::from(signed);
        prop_assert_eq!(bi(ColumnType::Float, Value::Int(signed)).is_ok(), is_exact);
    }
}
