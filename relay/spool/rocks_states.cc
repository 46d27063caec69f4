#include "relay/spool/rocks_states.h"

#include <rocksdb/options.h>

#include <string_view>

#include "relay/spool/record.h"

namespace relay::spool {

namespace {

std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

void apply_one(const rocksdb::Iterator& at, MessageRecord* record, const StateDamage& damaged) {
  const conf::Status applied = apply_state(view_of(at.key()), view_of(at.value()), record);
  if (!applied.ok())
    damaged(conf::to_text(record->id) + " (state)",
            applied.error().detail + "; its recipients are tried as if the message had just come");
}

}  // namespace

StateWalk::StateWalk(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* states) {
  rocksdb::ReadOptions options;
  options.readahead_size = 1 << 20;
  options.fill_cache = false;
  options.total_order_seek = true;
  iterator_.reset(db->NewIterator(options, states));
  iterator_->SeekToFirst();
}

void StateWalk::apply(MessageRecord* record, const StateDamage& damaged) {
  const std::string key = id_key(record->id);
  while (iterator_->Valid() && view_of(iterator_->key()).substr(0, key.size()) < key) iterator_->Next();
  for (; iterator_->Valid() && view_of(iterator_->key()).substr(0, key.size()) == key; iterator_->Next())
    apply_one(*iterator_, record, damaged);
}

rocksdb::Status read_states(rocksdb::DB* db, const rocksdb::Snapshot* moment,
                            rocksdb::ColumnFamilyHandle* states, MessageRecord* record,
                            const StateDamage& damaged) {
  rocksdb::ReadOptions options;
  options.snapshot = moment;
  options.prefix_same_as_start = true;
  const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(options, states));
  for (at->Seek(id_key(record->id)); at->Valid(); at->Next()) apply_one(*at, record, damaged);
  return at->status();
}

void StateBatch::put(conf::MessageId id, uint32_t part, const std::string& state) {
  const std::string key = state_key(id, part);
  batch_->Put(states_, key, state);
  fresh_.insert(key);
}

void StateBatch::remove(conf::MessageId id) {
  const std::string key = id_key(id);
  for (auto at = fresh_.lower_bound(key); at != fresh_.end() && at->compare(0, key.size(), key) == 0;
       at = fresh_.erase(at))
    batch_->Delete(states_, *at);
  if (iterator_ == nullptr) {
    rocksdb::ReadOptions options;
    options.prefix_same_as_start = true;
    options.fill_cache = false;
    iterator_.reset(db_->NewIterator(options, states_));
  }
  for (iterator_->Seek(key); iterator_->Valid(); iterator_->Next()) batch_->Delete(states_, iterator_->key());
}

}  // namespace relay::spool
