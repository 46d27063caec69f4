// RocksDB is a package that was built without the sanitizer: its atomic operations are not seen, but what it
// allocates, frees, copies and compares is. So what one of its threads hands to another looks like a race.
// The library is named and not its functions: in it are functions of the standard library, too, and those
// made of templates are called "void rocksdb::...".
// (Passing over only the calls that the library makes, called_from_lib, hides that it starts threads, which
// looks like more races.) The price: a race of what it calls, our files and our log, is hidden too.
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }
