//! One line in: expression and field values, hexadecimal, separated by tabs. One line out: 1, 0, or "error ...".
//!
//! The fields are those that the Python side knows as `FIELDS`, in the same order.

use std::io::{self, BufRead, BufWriter, Write};
use std::net::IpAddr;

use wirefilter::{ExecutionContext, LhsValue, Scheme, Type};

const FIELDS: [(&str, Type); 8] = [
    ("http.host", Type::Bytes),
    ("http.request.uri.path", Type::Bytes),
    ("http.user_agent", Type::Bytes),
    ("ip.src", Type::Ip),
    ("cf.edge.server_port", Type::Int),
    ("http.response.code", Type::Int),
    ("ssl", Type::Bool),
    ("cf.client.bot", Type::Bool),
];

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|e| e.to_string()))
        .collect()
}

fn answer(scheme: &Scheme, line: &str) -> Result<bool, String> {
    let parts = line.split('\t').map(unhex).collect::<Result<Vec<_>, _>>()?;
    if parts.len() != FIELDS.len() + 1 {
        return Err(format!("{} parts", parts.len()));
    }
    let text = std::str::from_utf8(&parts[0]).map_err(|e| e.to_string())?;
    let filter = scheme
        .parse(text)
        .map_err(|e| e.to_string().replace('\n', " "))?
        .compile();
    let mut context = ExecutionContext::new(scheme);
    for ((name, kind), raw) in FIELDS.iter().zip(&parts[1..]) {
        let value = value(*kind, raw)?;
        context.set_field_value(name, value).map_err(|e| e.to_string())?;
    }
    filter.execute(&context).map_err(|e| e.to_string())
}

fn value(kind: Type, raw: &[u8]) -> Result<LhsValue<'_>, String> {
    let text = || std::str::from_utf8(raw).map_err(|e| e.to_string());
    Ok(match kind {
        Type::Bytes => LhsValue::Bytes(raw),
        Type::Ip => LhsValue::Ip(text()?.parse::<IpAddr>().map_err(|e| e.to_string())?),
        Type::Int => LhsValue::Int(text()?.parse::<i32>().map_err(|e| e.to_string())?),
        Type::Bool => LhsValue::Bool(raw == b"1"),
    })
}

fn main() -> io::Result<()> {
    let fields = FIELDS.iter().map(|(name, kind)| (name.to_string(), *kind));
    let scheme = Scheme::try_from_iter(fields).expect("no field is named twice");
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        match answer(&scheme, &line?) {
            Ok(verdict) => writeln!(out, "{}", u8::from(verdict))?,
            Err(message) => writeln!(out, "error {message}")?,
        }
    }
    out.flush()
}
