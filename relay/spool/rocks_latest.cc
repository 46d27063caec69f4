#include "relay/spool/rocks_latest.h"

#include <string>

#include "relay/spool/record.h"

namespace relay::spool {

namespace {
constexpr std::string_view kMark = "ids ";
constexpr size_t kIdSize = 8;
}  // namespace

void RocksLatest::name_in(rocksdb::WriteBatch* batch) const {
  if (ids_.empty()) return;
  std::string names(kMark);
  for (const auto& [end, id] : ids_) names += id_key(id);
  (void)batch->PutLogData(names).ok();
}

void RocksLatest::written(const std::vector<conf::MessageId>& stored, uint64_t octets) {
  octets_ += octets;
  for (const conf::MessageId id : stored) ids_.emplace_back(octets_, id);
  while (!ids_.empty() && ids_.front().first + kReach < octets_) ids_.pop_front();
}

void RocksLatest::removed(conf::MessageId id) {
  std::erase_if(ids_, [id](const auto& each) { return each.second == id; });
}

void RocksLatest::keep_apart(rocksdb::WriteBatch* batch) {
  (void)batch->PutLogData(std::string(kReach / 2, '\0')).ok();
}

std::vector<conf::MessageId> latest_ids_in(std::string_view log_data) {
  std::vector<conf::MessageId> ids;
  if (!log_data.starts_with(kMark)) return ids;
  for (log_data.remove_prefix(kMark.size()); log_data.size() >= kIdSize; log_data.remove_prefix(kIdSize))
    ids.push_back(parse_id_key(log_data.substr(0, kIdSize)).value_or(0));
  return ids;
}

}  // namespace relay::spool
