#include "relay/spool/rocks_records.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>
#include <optional>
#include <thread>

#include "relay/spool/handover.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_states.h"

namespace relay::spool {

namespace {

constexpr char kReading[] = "reading the spool";

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// The reading thread's part.
conf::Status put_records(rocksdb::DB* db, const RocksTables& tables, Handover<StoredRecord>* out) {
  StateWalk states(db, tables.states);
  const conf::Status status =
      walk_table(db, tables.records, [&](std::string_view key, std::string_view value) {
        const std::optional<conf::MessageId> id = parse_id_key(key);
        if (!id) return true;
        StoredRecord stored{*id, decode_record(value), {}};
        size_t weight = 1;
        if (stored.record.ok() && stored.record->id != *id)
          stored.record = conf::Error{conf::ErrorCode::kCorrupt, "it carries the id of another message"};
        if (stored.record.ok()) {
          states.apply(&*stored.record, [&stored](const std::string& which, const std::string& why) {
            stored.damage.emplace_back(which, why);
          });
          weight += stored.record->recipients.size();
        }
        out->put(std::move(stored), weight);
        return true;
      });
  if (status.ok() && !states.status().ok()) return error_of(states.status(), kReading);
  return status;
}

}  // namespace

conf::Status walk_table(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* table,
                        const std::function<bool(std::string_view, std::string_view)>& use) {
  rocksdb::ReadOptions options;
  options.readahead_size = 4 << 20;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> iterator(db->NewIterator(options, table));
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    if (!use(view(iterator->key()), view(iterator->value()))) break;
  }
  if (iterator->status().ok()) return conf::success();
  return error_of(iterator->status(), kReading);
}

conf::Status read_records(rocksdb::DB* db, const RocksTables& tables,
                          const std::function<void(StoredRecord)>& each) {
  Handover<StoredRecord> records;
  conf::Status status = conf::success();
  std::thread reader([&] {
    status = put_records(db, tables, &records);
    records.close();
  });
  records.drain(each);
  reader.join();
  return status;
}

}  // namespace relay::spool
