//! Messages: structures, lists and maps.

use serde_json::{Map, Value};

use super::place::{Place, Step};
use super::wire::{Data, Reader};
use super::{Envelope, ProtobufError, scalar};
use crate::catalog::Catalog;
use crate::structure::{Field, Scalar, SchemaOr, StructureId, Type};
use crate::version::Version;

/// How many fields and items an object has: several times what fits into the largest that Kubernetes stores.
const VALUE_LIMIT: usize = 250_000;

/// Decodes one body.
pub(super) struct Decoder {
    pub(super) catalog: &'static Catalog,
    pub(super) version: Version,
    /// How many values may still come.
    values_left: usize,
}

impl Decoder {
    pub(super) fn new(version: Version) -> Self {
        Self {
            catalog: Catalog::get(),
            version,
            values_left: VALUE_LIMIT,
        }
    }

    /// Reads an object in its envelope.
    pub(super) fn object(&mut self, bytes: &[u8]) -> Result<Value, ProtobufError> {
        let envelope = Envelope::read(bytes)?;
        self.enveloped(&envelope, 0)
    }

    fn enveloped(&mut self, envelope: &Envelope<'_>, depth: usize) -> Result<Value, ProtobufError> {
        for encoding in [&envelope.encoding, &envelope.media_type] {
            if !encoding.is_empty() && encoding != super::MEDIA_TYPE {
                return Err(ProtobufError::Encoding {
                    encoding: encoding.clone(),
                });
            }
        }
        let kind = self.catalog.kind_of(&envelope.api_version, &envelope.kind);
        let structure =
            kind.and_then(|kind| kind.structure)
                .ok_or_else(|| ProtobufError::UnknownKind {
                    api_version: envelope.api_version.clone(),
                    kind: envelope.kind.clone(),
                })?;
        let mut object = envelope.head();
        let place = Place::root(&envelope.kind, depth);
        self.message(structure, envelope.raw, place, &mut object)?;
        self.complete(structure, &mut object)?;
        Ok(Value::Object(object))
    }

    /// Adds what a message has to an object.
    fn message(
        &mut self,
        id: StructureId,
        bytes: &[u8],
        place: Place<'_>,
        object: &mut Map<String, Value>,
    ) -> Result<(), ProtobufError> {
        let place = place.inside()?;
        let structure = self.catalog.structure(id);
        let mut reader = Reader::new(bytes);
        while let Some((number, data)) = reader.next().map_err(|what| place.broken(what))? {
            // What is not known was added by a newer client.
            let mut fields = structure.fields.iter();
            let known = |field: &&Field| field.span.contains(self.version);
            if let Some(field) = fields.find(|field| field.number == number && known(field)) {
                self.field(field, data, &place, object)?;
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &'static Field,
        data: Data<'_>,
        parent: &Place<'_>,
        object: &mut Map<String, Value>,
    ) -> Result<(), ProtobufError> {
        let place = parent.then(Step::Field(field.name));
        if let Some(inner) = field.taken_in() {
            let bytes = message_of(data, &place)?;
            return self.message(inner, bytes, place, object);
        }
        match &field.value {
            Type::List(item) => {
                let list = slot(object, field.name, || Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    self.item(item, data, &place, list)?;
                }
            }
            Type::Map(item) => {
                let map = slot(object, field.name, || Value::Object(Map::new()));
                if let Value::Object(map) = map {
                    self.entry(item, data, &place, map)?;
                }
            }
            Type::Structure(id) => {
                // A structure that comes twice is one.
                let inner = slot(object, field.name, || Value::Object(Map::new()));
                if let Value::Object(inner) = inner {
                    self.count(1)?;
                    self.message(*id, message_of(data, &place)?, place, inner)?;
                }
            }
            value => {
                let value = self.value(value, data, place)?;
                object.insert(field.name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// Adds to a list what one field on the wire has: an item, or numbers in a row.
    fn item(
        &mut self,
        item: &'static Type,
        data: Data<'_>,
        parent: &Place<'_>,
        list: &mut Vec<Value>,
    ) -> Result<(), ProtobufError> {
        let place = parent.then(Step::Item(list.len()));
        if let (Type::Scalar(kind), Data::Bytes(bytes)) = (item, data)
            && let Some(count) = scalar::packed_count(*kind, bytes)
        {
            // Before they are read: three million of them fit into a body.
            self.count(count)?;
            let values = scalar::packed(*kind, bytes);
            list.extend(values.map_err(|what| place.broken(what))?);
            return Ok(());
        }
        let value = self.value(item, data, place)?;
        list.push(value);
        Ok(())
    }

    /// Adds an entry to a map: 1 is the key, 2 the value.
    fn entry(
        &mut self,
        item: &'static Type,
        data: Data<'_>,
        place: &Place<'_>,
        map: &mut Map<String, Value>,
    ) -> Result<(), ProtobufError> {
        let mut reader = Reader::new(message_of(data, place)?);
        let (mut key, mut value) = ("", None);
        while let Some((number, data)) = reader.next().map_err(|what| place.broken(what))? {
            match (number, data) {
                (1, Data::Bytes(bytes)) => {
                    key = std::str::from_utf8(bytes)
                        .map_err(|_| place.broken("the key is not UTF-8"))?;
                }
                (1, _) => return Err(place.broken("the key is no text")),
                (2, data) => value = Some(data),
                _ => {}
            }
        }
        let place = place.then(Step::Key(key));
        let value = if let Some(data) = value {
            self.value(item, data, place)?
        } else {
            self.count(1)?;
            self.nothing(item)?
        };
        map.insert(key.to_owned(), value);
        Ok(())
    }

    /// What an item is that is not there.
    fn nothing(&mut self, item: &'static Type) -> Result<Value, ProtobufError> {
        Ok(match item {
            Type::Scalar(kind) => scalar::zero(*kind).unwrap_or_default(),
            Type::Enumeration(_) => "".into(),
            Type::Structure(id) => {
                let mut object = Map::new();
                self.complete(*id, &mut object)?;
                Value::Object(object)
            }
            Type::List(_) | Type::NamedList(_) => Value::Array(Vec::new()),
            Type::Map(_) => Value::Object(Map::new()),
            Type::SchemaOr(..) => Value::Null,
        })
    }

    /// A value that one field on the wire has as a whole.
    fn value(
        &mut self,
        value: &'static Type,
        data: Data<'_>,
        place: Place<'_>,
    ) -> Result<Value, ProtobufError> {
        self.count(1)?;
        match value {
            Type::Scalar(Scalar::RawExtension) => {
                let bytes = scalar::inner(message_of(data, &place)?);
                self.extension(bytes.map_err(|what| place.broken(what))?, &place)
            }
            Type::Scalar(Scalar::Fields | Scalar::Json) => {
                let bytes = scalar::inner(message_of(data, &place)?);
                json(bytes.map_err(|what| place.broken(what))?, &place)
            }
            Type::Scalar(kind) => scalar::plain(*kind, data).map_err(|what| place.broken(what)),
            Type::Enumeration(_) => {
                scalar::plain(Scalar::String, data).map_err(|what| place.broken(what))
            }
            Type::Structure(id) => {
                let mut object = Map::new();
                self.message(*id, message_of(data, &place)?, place, &mut object)?;
                self.complete(*id, &mut object)?;
                Ok(Value::Object(object))
            }
            Type::NamedList(item) => {
                let place = place.inside()?;
                let mut reader = Reader::new(message_of(data, &place)?);
                let mut list = Vec::new();
                while let Some((number, data)) = reader.next().map_err(|what| place.broken(what))? {
                    if number == 1 {
                        self.item(item, data, &place, &mut list)?;
                    }
                }
                Ok(Value::Array(list))
            }
            Type::SchemaOr(other, schema) => self.schema_or(*other, *schema, data, place),
            Type::List(_) | Type::Map(_) => Err(place.broken("a list or map cannot stand here")),
        }
    }

    /// A schema, or what may stand in its place: where both are there, the schema counts.
    fn schema_or(
        &mut self,
        other: SchemaOr,
        schema: StructureId,
        data: Data<'_>,
        place: Place<'_>,
    ) -> Result<Value, ProtobufError> {
        let place = place.inside()?;
        let mut reader = Reader::new(message_of(data, &place)?);
        let (mut allowed, mut object, mut list) = (false, None, Vec::new());
        while let Some((number, data)) = reader.next().map_err(|what| place.broken(what))? {
            let broken = |what| place.broken(what);
            match (other, number) {
                (SchemaOr::Bool, 1) => {
                    let value = scalar::plain(Scalar::Bool, data).map_err(broken)?;
                    allowed = value == Value::Bool(true);
                }
                (SchemaOr::List | SchemaOr::Strings, 1) | (SchemaOr::Bool, 2) => {
                    object = Some(self.value_of_schema(schema, data, place)?);
                }
                (SchemaOr::List, 2) => {
                    let item = place.then(Step::Item(list.len()));
                    list.push(self.value_of_schema(schema, data, item)?);
                }
                (SchemaOr::Strings, 2) => {
                    self.count(1)?;
                    list.push(scalar::plain(Scalar::String, data).map_err(broken)?);
                }
                _ => {}
            }
        }
        Ok(match (object, other) {
            (Some(object), _) => object,
            (None, SchemaOr::Bool) => allowed.into(),
            (None, _) => Value::Array(list),
        })
    }

    fn value_of_schema(
        &mut self,
        schema: StructureId,
        data: Data<'_>,
        place: Place<'_>,
    ) -> Result<Value, ProtobufError> {
        self.count(1)?;
        let mut object = Map::new();
        self.message(schema, message_of(data, &place)?, place, &mut object)?;
        self.complete(schema, &mut object)?;
        Ok(Value::Object(object))
    }

    /// An object of any kind: in JSON, or in an envelope of its own.
    fn extension(&mut self, bytes: &[u8], place: &Place<'_>) -> Result<Value, ProtobufError> {
        if bytes.starts_with(super::MAGIC) {
            let inside = place.inside()?;
            return self.enveloped(&Envelope::read(bytes)?, inside.depth);
        }
        json(bytes, place)
    }

    /// Notes values that are added, as long as there may be more.
    pub(super) fn count(&mut self, values: usize) -> Result<(), ProtobufError> {
        self.values_left = self
            .values_left
            .checked_sub(values)
            .ok_or(ProtobufError::TooMany { limit: VALUE_LIMIT })?;
        Ok(())
    }
}

/// The value of a field, which is made when there is none.
fn slot<'a>(
    object: &'a mut Map<String, Value>,
    name: &str,
    make: impl FnOnce() -> Value,
) -> &'a mut Value {
    object.entry(name).or_insert_with(make)
}

fn message_of<'a>(data: Data<'a>, place: &Place<'_>) -> Result<&'a [u8], ProtobufError> {
    match data {
        Data::Bytes(bytes) => Ok(bytes),
        _ => Err(place.broken("the value is of another type")),
    }
}

fn json(bytes: &[u8], place: &Place<'_>) -> Result<Value, ProtobufError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|_| place.broken("the value is no JSON"))
}
