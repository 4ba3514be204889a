"""Objects of the lake that another program has written anew."""

import shutil
import subprocess

import pyarrow.parquet as pq
import pytest
from conftest import BINARIES


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd"])
def test_an_object_that_was_packed_in_another_way_is_named_and_left_alone(sample, tmp_path, codec):
    store = shutil.copytree(sample, tmp_path / "store")
    path = store / "lake/lives/dt=2022-10-26/part-0.parquet"
    rows = pq.ParquetFile(path).read()
    # Without the index, as programs write that do not know of it.
    pq.write_table(rows.replace_schema_metadata(None), path, compression=codec)
    before = path.read_bytes()
    ran = subprocess.run([BINARIES / "rollcall", "upgrade", "--store", store], capture_output=True, text=True)
    if codec == "zstd":
        assert ran.returncode == 0, ran.stderr
        assert pq.ParquetFile(path).read() == rows
    else:
        assert ran.returncode == 1
        assert f"packed with {codec.upper()}" in ran.stdout + ran.stderr, ran
        assert "do not delete it" in ran.stdout + ran.stderr, ran
        assert path.read_bytes() == before
