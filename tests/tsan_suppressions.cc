// RocksDB is a package that was built without the sanitizer: its atomic operations are not seen, but what it
// copies and compares with memcpy and memcmp is. So what its skip list hands from the writer to a reader
// looks like a race.
extern "C" const char* __tsan_default_suppressions() { return "race:rocksdb::MemTable::Add\n"; }
