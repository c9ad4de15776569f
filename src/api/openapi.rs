//! The description of the interface (OpenAPI 3.1): its schemas are those of the figures themselves, so that a field that
//! is added is described, too.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::PATH;
use crate::figures::report::SECTIONS;
use crate::figures::{Controls, Ignored, Lines, Overview};

/// The description as JSON.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.for_serialize().into_generator();
    let mut paths = Map::new();
    for (place, summary, schema) in [
        (
            "overview",
            "What is open, what came and went, how long fixing takes",
            of::<Overview>(&mut schemas),
        ),
        ("teams", "The same for each team", of::<Lines>(&mut schemas)),
        (
            "accounts",
            "The same for each account",
            of::<Lines>(&mut schemas),
        ),
        (
            "controls",
            "The same for each control or rule, with the share of IAM",
            of::<Controls>(&mut schemas),
        ),
        (
            "regions",
            "The same for each Region",
            of::<Lines>(&mut schemas),
        ),
        (
            "products",
            "The same for each product",
            of::<Lines>(&mut schemas),
        ),
        (
            "ignored",
            "What ignore rules hide",
            of::<Ignored>(&mut schemas),
        ),
    ] {
        let answer = json!({ "application/json": { "schema": schema } });
        let operation = operation(place, summary, filters(), &answer);
        paths.insert(format!("{PATH}/{place}"), json!({ "get": operation }));
    }
    paths.insert(
        format!("{PATH}/tables/{{table}}"),
        json!({ "get": table() }),
    );
    let mut components = Map::new();
    components.extend(schemas.take_definitions(true));
    components.insert("Error".to_owned(), error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "asaf",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Figures of Security Hub findings and their Jira tickets. Answers are of the moment; days are days of UTC.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "paths": paths,
        "components": { "schemas": components },
    })
}

fn of<T: schemars::JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

fn operation(id: &str, summary: &str, parameters: Vec<Value>, answer: &Value) -> Value {
    let refusal = |text: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        json!({ "description": text, "content": { "application/json": { "schema": schema } } })
    };
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": { "description": "The figures", "content": answer },
            "400": refusal("A parameter that cannot be, and what it can be"),
            "403": refusal("The caller sees the figures of other teams only"),
            "503": refusal("The store cannot be read now"),
        }
    })
}

/// What narrows every answer.
fn filters() -> Vec<Value> {
    let list = |name: &str, text: &str, item: Value| {
        json!({ "name": name, "in": "query", "description": text, "explode": true, "style": "form",
            "schema": { "type": "array", "maxItems": 50, "items": item } })
    };
    let word = || json!({ "type": "string", "maxLength": 200 });
    let account = json!({ "type": "string", "pattern": "^[0-9]{12}$" });
    let severities = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"];
    let day = |name: &str, text: &str| {
        json!({ "name": name, "in": "query", "description": text,
            "schema": { "type": "string", "format": "date" } })
    };
    vec![
        list("team", "Only these teams", word()),
        list("account", "Only these accounts", account),
        list(
            "ou",
            "Only accounts in these organisational units, and below",
            word(),
        ),
        list("region", "Only these Regions", word()),
        list(
            "severity",
            "Only these severities",
            json!({ "type": "string", "enum": severities }),
        ),
        list("product", "Only these products", word()),
        list(
            "control",
            "Only these controls, rules or finding types",
            word(),
        ),
        day("from", "The first day; without it since counting began"),
        day("to", "The last day; without it today"),
    ]
}

fn table() -> Value {
    let query = |name: &str, text: &str, schema: Value| json!({ "name": name, "in": "query", "description": text, "schema": schema });
    let mut parameters = vec![json!({ "name": "table", "in": "path", "required": true,
        "schema": { "type": "string", "enum": SECTIONS } })];
    parameters.extend(filters());
    parameters.extend([
        query("sort", "The name of a column", json!({ "type": "string" })),
        query(
            "order",
            "How it is sorted",
            json!({ "type": "string", "enum": ["asc", "desc"] }),
        ),
        query(
            "page",
            "Which page",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        query(
            "per_page",
            "Rows of a page; without it all",
            json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
        ),
        query(
            "format",
            "As what",
            json!({ "type": "string", "enum": ["json", "csv"] }),
        ),
    ]);
    let schema = json!({
        "type": "object",
        "required": ["table", "caption", "sentence", "total", "rows"],
        "properties": {
            "table": { "type": "string" },
            "caption": { "type": "string" },
            "sentence": { "type": "string" },
            "total": { "type": "integer", "minimum": 0 },
            "rows": { "type": "array", "items": { "type": "object" } }
        }
    });
    let answer = json!({
        "application/json": { "schema": schema },
        "text/csv": { "schema": { "type": "string" } }
    });
    let mut operation = operation("table", "The table of one figure", parameters, &answer);
    operation["responses"]["404"] = json!({ "description": "There is no such table" });
    operation
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": { "type": "string", "description": "What is wrong, and what is right" } }
    })
}
