//! One Parquet object in the store, written and read as a stream: memory holds one row group, never the object.

mod clean;
mod encoded;
pub mod index;
mod object_bytes;
pub mod properties;
mod reader;
mod waiting;
mod writer;

use parquet::errors::ParquetError;

pub use self::clean::{CleanObject, clean_cell};
pub use self::encoded::EncodedGroup;
pub use self::reader::ObjectReader;
pub use self::waiting::Waiting;
pub use self::writer::ObjectWriter;
use crate::error::{Error, Kind};

fn length(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn to_parquet(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// The store's own error if there is one inside; otherwise the object is damaged.
fn from_parquet(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(error) => *error,
            Err(inner) => Error::new(Kind::Damaged, "cannot read or write Parquet").caused_by(inner),
        },
        error => Error::new(Kind::Damaged, "cannot read or write Parquet").caused_by(error),
    }
}
