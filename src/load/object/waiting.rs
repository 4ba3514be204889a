//! Rows that wait to be written together.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::from_parquet;
use crate::error::Result;
use crate::transform::batch::text_bytes;

/// Number of waiting batches that are joined into one: each takes memory for every column, however few rows it has.
const BATCHES: usize = 64;

/// Rows of one table, in their order.
#[derive(Debug, Default)]
pub struct Waiting {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Waiting {
    /// Adds rows.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        self.bytes += text_bytes(&batch);
        self.batches.push(batch);
        if self.batches.len() >= BATCHES {
            self.batches = self.joined()?.into_iter().collect();
        }
        Ok(())
    }

    /// How many rows wait.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the texts in the rows that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes all rows as one batch; `None` if nothing was added.
    pub fn take(&mut self) -> Result<Option<RecordBatch>> {
        let all = self.joined()?;
        *self = Self::default();
        Ok(all)
    }

    fn joined(&self) -> Result<Option<RecordBatch>> {
        match self.batches.as_slice() {
            [] => Ok(None),
            [batch] => Ok(Some(batch.clone())),
            [first, ..] => {
                let all = concat_batches(&first.schema(), &self.batches);
                all.map(Some).map_err(|error| from_parquet(error.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::row::rows;
    use crate::transform::tables::Table;
    use crate::transform::value::Value;

    #[test]
    fn few_batches_wait_however_many_were_added_and_every_row_is_taken_once_in_order() {
        let (mut waiting, mut builder) = (Waiting::default(), BatchBuilder::new(Table::Rejects));
        for number in 0..1_000 {
            builder.push_named(vec![
                ("event_id", Value::Integer(number)),
                ("source_table", "lives".into()),
                ("source", "windows".into()),
                ("path", "$".into()),
                ("reason", "no_time".into()),
                ("record", "{}".into()),
                ("pulled_at", Value::Millis(number)),
            ]);
            waiting.push(builder.finish().unwrap()).unwrap();
            assert!(waiting.batches.len() < BATCHES);
        }
        assert_eq!((waiting.rows(), waiting.bytes()), (1_000, 1_000 * "liveswindows$no_time{}".len()));
        let all = waiting.take().unwrap().unwrap();
        let numbers: Vec<i64> = rows(&all).filter_map(|row| row.number("event_id")).collect();
        assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
        assert!(waiting.take().unwrap().is_none());
    }
}
