#include "relay/spool/rocks_care.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "relay/spool/damaged_files.h"
#include "relay/spool/lasting_files.h"
#include "relay/spool/log_mend.h"
#include "relay/spool/manifest.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_latest.h"

namespace relay::spool {

namespace {

namespace fs = std::filesystem;

// What the whole records of the logs say of messages.
class LogWords final : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(uint32_t table, const rocksdb::Slice& key, const rocksdb::Slice&) override {
    if (table == kRecords) note(key);
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t table, const rocksdb::Slice& key) override {
    if (table == kRecords) note(key);
    return rocksdb::Status::OK();
  }
  rocksdb::Status SingleDeleteCF(uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }
  void LogData(const rocksdb::Slice& data) override {
    for (const conf::MessageId id : latest_ids_in({data.data(), data.size()})) named_.insert(id);
  }
  // Messages of which there are only names.
  std::vector<conf::MessageId> missing() const {
    std::vector<conf::MessageId> ids;
    std::ranges::set_difference(named_, told_, std::back_inserter(ids));
    return ids;
  }

 private:
  static constexpr uint32_t kRecords = 1;  // the number of the table in every spool
  void note(const rocksdb::Slice& key) {
    if (const auto id = parse_id_key({key.data(), key.size()})) told_.insert(*id);
  }

  std::set<conf::MessageId> named_, told_;  // the latter: stored or removed
};

class Care {
 public:
  Care(const std::string& path, const SyncMarks& marks, bool write)
      : folder_(fs::path(path) / "db"), aside_(fs::path(path) / "set-aside"), marks_(marks), write_(write) {}

  conf::Result<CareReport> look() {
    const std::map<uint64_t, fs::path> logs = numbered_files(folder_, "", ".log");
    const std::map<uint64_t, fs::path> manifests = numbered_files(folder_, "MANIFEST-", "");
    if (marks_.damaged())
      report_.said.push_back(
          "the file promised is damaged, which says how far the logs were synced: in a log without its mark, "
          "damage is taken for the cut end that a crash leaves");
    if (!manifests.empty()) {
      look_at_manifest(manifests.rbegin()->second);
    } else if (!logs.empty() || !numbered_files(folder_, "", ".sst").empty()) {
      report_.unreadable = "there is no MANIFEST";  // RocksDB would begin an empty database
    }
    for (const auto& [number, promised] : marks_.left()) {
      if (promised == 0 || logs.contains(number) || number < oldest_log_) continue;
      report_.said.push_back("the write-ahead log " + std::to_string(number) + " is missing: mail of " +
                             std::to_string(promised) + " octets that were promised may be lost");
    }
    for (const auto& [number, file] : logs) look_at_log(number, file);
    if (spoilt_) find_names(logs);
    if (failed_) return *failed_;
    return std::move(report_);
  }

 private:
  void look_at_log(uint64_t number, const fs::path& file) {
    const auto promised = marks_.left().find(number);
    if (promised == marks_.left().end()) return;  // of a program that made no marks: RocksDB looks at it
    std::string content = read(file);
    const LogReport report = mend_log(&content, promised->second);
    if (!report.mended() && !report.spoilt()) return;
    const std::string name = "the write-ahead log " + file.filename().string();
    for (const LogDamage& each : report.damage)
      report_.said.push_back(name + " was damaged at " + std::to_string(each.at) +
                             (each.mended
                                  ? ": one bit, set right"
                                  : ": " + std::to_string(each.size) + " octets that cannot be read"));
    if (report.cut)
      report_.said.push_back(name + " ends before what was promised: mail of " +
                             std::to_string(promised->second - content.size()) + " octets is lost");
    spoilt_ |= report.spoilt();
    for (const std::string& piece : blank_spoilt(&content, report)) {
      for (const conf::MessageId id : messages_in(piece)) report_.in_damage.push_back(id);
    }
    replace(file, content);
  }

  // Of what stood in the damage the batches behind it have the names.
  void find_names(const std::map<uint64_t, fs::path>& logs) {
    LogWords words;
    for (const auto& [number, file] : logs) {
      for (std::string& record : read_log(read(file)))
        (void)rocksdb::WriteBatch(std::move(record)).Iterate(&words).ok();
    }
    std::vector<conf::MessageId>& all = report_.in_damage;
    const std::vector<conf::MessageId> missing = words.missing();
    all.insert(all.end(), missing.begin(), missing.end());
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }

  void look_at_manifest(const fs::path& newest) {
    const fs::path current = folder_ / "CURRENT";
    const std::string names = fs::exists(current) ? read(current) : "";
    const bool good = names.size() > 1 && names.back() == '\n' && names.starts_with("MANIFEST-") &&
                      fs::exists(folder_ / names.substr(0, names.size() - 1));
    if (!good) {
      report_.said.push_back("CURRENT was damaged; it names " + newest.filename().string() + " again");
      replace(current, newest.filename().string() + '\n');
    }
    const fs::path file = good ? folder_ / names.substr(0, names.size() - 1) : newest;
    std::string content = read(file);
    const std::string name = file.filename().string();
    const LogReport report = mend_log(&content, content.size());
    const bool whole = report.whole == content.size();
    oldest_log_ = oldest_log_needed(content);
    const std::optional<uint64_t> promised = marks_.left_of_manifest(number_in(name, "MANIFEST-", ""));
    // Only a mark tells the cut end of a crash from damage.
    if (promised ? report.whole < *promised : !whole) {
      report_.unreadable = name + " is damaged at " + std::to_string(report.whole);
      return;
    }
    const auto mended = std::ranges::count(report.damage, true, &LogDamage::mended);
    if (mended > 0)
      report_.said.push_back(name + " was damaged: " + std::to_string(mended) + " wrong bits set right");
    content.resize(report.whole);
    if (mended > 0 || !whole) replace(file, content);
  }

  // Empty when it cannot even be opened: then nothing is changed.
  std::string read(const fs::path& file) {
    conf::Result<std::string> content = read_damaged_file(file);
    if (content.ok()) return *std::move(content);
    if (!failed_) failed_ = content.error();
    return {};
  }

  void fail(const std::string& what, const std::error_code& code) {
    const bool full = code == std::errc::no_space_on_device;
    failed_ = conf::Error{full ? conf::ErrorCode::kNoSpace : conf::ErrorCode::kIo,
                          "the spool is damaged, and " + what + ": " + code.message()};
  }

  // The file as it was is kept; the new one takes its place whole.
  void replace(const fs::path& file, const std::string& content) {
    if (!write_ || failed_) return;
    std::error_code code;
    fs::create_directories(aside_, code);
    if (fs::exists(file) && !code) code = copy_to_disk(file, aside_ / file.filename());
    if (!code) code = sync_to_disk(aside_);
    if (!code) code = sync_to_disk(aside_.parent_path());
    if (code) return fail(file.string() + " cannot be copied to " + aside_.string(), code);
    const fs::path fresh = file.string() + ".mended";
    code = write_to_disk(fresh, content);
    if (code) return fail(fresh.string() + " cannot be written", code);
    fs::rename(fresh, file, code);
    if (!code) code = sync_to_disk(folder_);
    if (code) fail(file.string() + " cannot be replaced", code);
  }

  const fs::path folder_, aside_;
  const SyncMarks& marks_;
  const bool write_;
  uint64_t oldest_log_ = 0;  // that is needed
  bool spoilt_ = false;      // something stood in a log that cannot be read
  CareReport report_;
  std::optional<conf::Error> failed_;
};

}  // namespace

conf::Result<CareReport> look_after(const std::string& path, const SyncMarks& marks, bool write) {
  return Care(path, marks, write).look();
}

}  // namespace relay::spool
