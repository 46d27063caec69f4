#include "relay/spool/rocks_spool.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

#include "conf/disk_call.h"
#include "conf/standard_error.h"
#include "conf/vocab/check.h"
#include "relay/spool/ballast.h"
#include "relay/spool/committer.h"
#include "relay/spool/completions.h"
#include "relay/spool/disk_watch.h"
#include "relay/spool/message_ids.h"
#include "relay/spool/read_queue.h"
#include "relay/spool/record.h"
#include "relay/spool/refused_list.h"
#include "relay/spool/rocks_aside.h"
#include "relay/spool/rocks_batch.h"
#include "relay/spool/rocks_database.h"
#include "relay/spool/rocks_files.h"
#include "relay/spool/rocks_latest.h"
#include "relay/spool/rocks_records.h"
#include "relay/spool/rocks_states.h"
#include "relay/spool/sync_marks.h"

namespace relay::spool {

namespace {

using rocksdb::ColumnFamilyHandle;

constexpr uint64_t kRoomToStart = 1 << 20;  // for RocksDB's new files; a log is not written out

class DiskSpool final : public Spool, private BatchWriter {
 public:
  DiskSpool(conf::SpoolSettings settings, std::shared_ptr<Ballast> ballast,
            std::shared_ptr<DiskPatience> patience, std::unique_ptr<rocksdb::Env> env, RocksDatabase opened)
      : settings_(std::move(settings)),
        ballast_(std::move(ballast)),
        patience_(std::move(patience)),
        env_(std::move(env)),
        db_(std::move(opened.db)),
        tables_(opened.tables),
        damage_(std::move(opened.damage)),
        lost_(std::move(opened.lost)),
        watch_(settings_.path, settings_.reserve_bytes),
        refused_(settings_.path),
        reads_(std::make_unique<ReadQueue>()),
        committer_(std::make_unique<Committer>(static_cast<BatchWriter*>(this), &completions_,
                                               Committer::Options{})) {
    patience_->on_stall([this](const conf::Error& error) { committer_->stall(error); });
  }

  ~DiskSpool() override {
    end_if_stalled();
    reads_.reset();
    patience_->on_stall({});  // a write of RocksDB's own may still wait
    committer_.reset();
    name_latest();
    (void)db_->FlushWAL(true).ok();
    for (ColumnFamilyHandle* handle : {tables_.values, tables_.records, tables_.bodies, tables_.states}) {
      (void)db_->DestroyColumnFamilyHandle(handle).ok();
    }
    (void)db_->Close().ok();
  }

  conf::MessageId next_id(conf::WallTime now) override { return ids_.next(now); }

  void store(MessageRecord record, conf::Bytes body, StoreDone done) override {
    const conf::MessageId id = record.id;
    WriteRequest request{WriteKind::kStore, id, encode_record(record), std::move(body),
                         [done = std::move(done), receipt = print_receipt(id)](const conf::Status& status) {
                           status.ok() ? done(receipt) : done(status.error());
                         }};
    request.work = record.recipients.size();
    const DiskState disk = watch_.state();
    std::optional<conf::Error> trouble = patience_->stalled();
    if (!disk.enough) trouble = conf::Error{conf::ErrorCode::kNoSpace, disk.why};
    if (!trouble && ballast_->short_of_room()) trouble = full();
    if (trouble) {
      completions_.push([done = std::move(request.done), why = *trouble] { done(why); });
      return;
    }
    committer_->submit(std::move(request));
  }

  void update(const MessageRecord& record, RecipientSpan recipients) override {
    const uint32_t part = recipients.front();
    std::string state = encode_state(state_key(record.id, part), record, recipients);
    committer_->submit({WriteKind::kUpdate, record.id, std::move(state), {}, {}, {}, part});
  }

  void hold(conf::MessageId id, bool on_hold) override {
    committer_->submit(
        {WriteKind::kUpdate, id, encode_hold(state_key(id, kHoldPart), on_hold), {}, {}, {}, kHoldPart});
  }

  using Spool::update;
  void remove(conf::MessageId id) override { committer_->submit({WriteKind::kRemove, id, {}, {}, {}}); }

  void load(conf::MessageId id, bool with_body, LoadDone done) override {
    reads_->submit([this, id, with_body, number = committer_->newest(), done = std::move(done)] {
      committer_->wait_for(number);  // what was asked for before is to be seen
      auto loaded = std::make_shared<conf::Result<LoadedMessage>>(read(id, with_body));
      completions_.push([done, loaded] { done(std::move(*loaded)); });
    });
  }

  conf::Status recover(const std::function<void(MessageRecord)>& each,
                       const std::function<void(std::string, std::string)>& set_aside) override {
    std::vector<std::pair<conf::MessageId, std::string>> bad;
    const std::set<conf::MessageId> refused(refused_.left().begin(), refused_.left().end());
    const conf::Status status = read_records(db_.get(), tables_, [&](StoredRecord stored) {
      ids_.observe(stored.id);
      if (refused.contains(stored.id)) return;  // its client heard 4yz
      for (const auto& [key, why] : stored.damage) set_aside(key, why);
      if (stored.record.ok()) {
        each(std::move(*stored.record));
      } else {
        bad.emplace_back(stored.id, stored.record.error().detail);
      }
    });
    for (const conf::MessageId id : refused) remove(id);
    for (const std::string& said : damage_) set_aside("the spool", said);
    for (const conf::MessageId id : lost_)
      set_aside(conf::to_text(id), "it stood in a damaged place; unless it was finished before, it is lost");
    for (const auto& [id, why] : bad) {
      put_aside(id);
      set_aside(conf::to_text(id), "it cannot be read and was set aside: " + why);
    }
    return status;
  }

  conf::Status scan(const std::function<bool(const MessageRecord&)>& each) override {
    StateWalk states(db_.get(), tables_.states);
    return walk_table(db_.get(), tables_.records, [&](std::string_view, std::string_view value) {
      conf::Result<MessageRecord> record = decode_record(value);
      if (!record.ok()) return true;
      states.apply(&record.value(), [](const std::string&, const std::string&) {});
      return each(record.value());
    });
  }

  void keep_all(KeptValues values, KeepDone done) override {
    for (auto& [key, value] : values)
      if (!value.empty()) value = encode_value(key, value);
    committer_->submit({WriteKind::kKeep, 0, {}, {}, std::move(done), std::move(values)});
  }

  conf::Status kept(const std::function<void(std::string_view, std::string_view)>& each,
                    const std::function<void(std::string, std::string)>& damaged) override {
    return walk_table(db_.get(), tables_.values, [&](std::string_view key, std::string_view stored) {
      const conf::Result<std::string_view> value = decode_value(key, stored);
      value.ok() ? each(key, value.value()) : damaged(std::string(key), value.error().detail);
      return true;
    });
  }

  conf::Result<std::string> kept_value(std::string_view key) override {
    std::string stored;
    const rocksdb::Status status = db_->Get({}, tables_.values, {key.data(), key.size()}, &stored);
    if (status.IsNotFound()) return conf::Error{conf::ErrorCode::kNotFound, "no such value"};
    if (!status.ok()) return error_of(status, "reading a kept value");
    const conf::Result<std::string_view> value = decode_value(key, stored);
    if (!value.ok()) return value.error();
    return std::string(value.value());
  }

  size_t drain_completions() override {
    const auto now = std::chrono::steady_clock::now();
    if (ballast_->short_of_room() && now >= next_fill_) {
      next_fill_ = now + std::chrono::seconds(1);
      reads_->submit([ballast = ballast_] { ballast->fill(); });
    }
    return completions_.drain(kDrained);
  }
  void on_completions_ready(std::function<void()> wake) override { completions_.on_ready(std::move(wake)); }

  SpoolHealth health() const override {
    const DiskState disk = watch_.state();
    SpoolHealth health{disk.enough, recording(), disk.why, disk.free_bytes, disk.free_inodes};
    std::optional<conf::Error> trouble = patience_->stalled();
    if (!trouble) trouble = committer_->trouble();
    if (!trouble && ballast_->short_of_room()) trouble = full();
    if (trouble) {
      health.accepting = false;
      health.why = trouble->detail;
    }
    return health;
  }

  bool recording() const override { return !patience_->waiting() && committer_->prompt(); }

  SpoolCounters counters() const override {
    SpoolCounters counters;
    counters.stored = stored_;
    counters.updated = updated_;
    counters.removed = removed_;
    counters.batches = batches_;
    counters.syncs = syncs_;
    counters.bytes_written = bytes_written_;
    counters.set_aside = set_aside_;
    counters.kept = kept_;
    return counters;
  }

  void flush() override {
    end_if_stalled();
    committer_->flush();
    reads_->flush();
    (void)db_->FlushWAL(true).ok();
  }

 private:
  // At the end, with a disk that still cannot be written: nothing more can be done than to go. What was
  // acknowledged is on disk; what is not is what may be delivered twice.
  void end_if_stalled() const {
    for (int i = 0; i < 50 && patience_->stalled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (!patience_->stalled()) return;
    std::fprintf(
        stderr,
        "penstock: ending without the last updates of the spool: %s; recent deliveries may be repeated\n",
        patience_->stalled()->detail.c_str());
    std::_Exit(1);
  }

  // Committer's thread.
  conf::Status write(const std::vector<WriteRequest>& requests) override {
    reuse(&batch_);
    std::vector<conf::MessageId> stored;
    for (const WriteRequest& each : requests) {
      if (each.kind == WriteKind::kStore) stored.push_back(each.id);
      if (each.kind == WriteKind::kRemove) latest_.removed(each.id);
    }
    latest_.name_in(&batch_);
    const BatchCounts counts = fill_batch(requests, db_.get(), tables_, &batch_);
    rocksdb::WriteOptions options;
    options.sync =
        (counts.stored + counts.kept > 0 || any_refused_) && settings_.durability == conf::Durability::kSync;
    const rocksdb::Status status = db_->Write(options, &batch_);
    if (!status.ok()) return error_of(status, "the spool cannot be written");
    latest_.written(stored, batch_.GetDataSize());
    stored_ += counts.stored;
    updated_ += counts.updated;
    removed_ += counts.removed;
    kept_ += counts.kept;
    ++batches_;
    if (options.sync) ++syncs_;
    bytes_written_ += batch_.GetDataSize();
    return conf::success();
  }

  // So that the messages at the end of the log have their names elsewhere in it, too. In two batches: one
  // that is damaged says nothing. What they name is on disk, whatever comes of this.
  void name_latest() {
    if (latest_.empty() || patience_->stalled() || !watch_.state().enough || ballast_->short_of_room())
      return;
    for (const bool last : {false, true}) {
      rocksdb::WriteBatch batch;
      latest_.name_in(&batch);
      if (!last) RocksLatest::keep_apart(&batch);
      rocksdb::WriteOptions options;
      options.sync = last;
      (void)db_->Write(options, &batch).ok();
    }
  }

  void refused(const std::vector<conf::MessageId>& ids) override {
    refused_.add(ids);
    any_refused_ = true;
  }

  void taken_out() override {
    refused_.clear();
    any_refused_ = false;
  }

  static conf::Error full() {
    return {conf::ErrorCode::kNoSpace, "the disk is full; deliveries go on in the room kept for them"};
  }

  conf::Status mend() override {
    const rocksdb::Status status = db_->Resume();
    return status.ok() ? conf::success() : conf::Status(error_of(status, "the spool cannot be written"));
  }

  conf::Result<LoadedMessage> read(conf::MessageId id, bool with_body) {
    const conf::DiskCall under_way("reading a message of", settings_.path);
    const std::string key = id_key(id);
    std::string value;
    const std::vector<WriteRequest> newer = committer_->retained(id);
    if (!newer.empty() && newer.front().kind == WriteKind::kRemove) return not_found();
    // All of one moment: the message may be taken out meanwhile.
    rocksdb::ManagedSnapshot moment(db_.get());
    rocksdb::ReadOptions options;
    options.snapshot = moment.snapshot();
    rocksdb::Status got = db_->Get(options, tables_.records, key, &value);
    if (got.IsNotFound()) return not_found();
    if (!got.ok()) return spoilt(id, error_of(got, "reading the record"));
    conf::Result<MessageRecord> record = decode_record(value);
    if (!record.ok()) return spoilt(id, record.error());
    got = read_states(db_.get(), options.snapshot, tables_.states, &record.value(), &say_damage);
    if (!got.ok()) return error_of(got, "reading the state of a message");
    for (const WriteRequest& update : newer)
      (void)apply_state(state_key(id, update.part), update.record, &record.value()).ok();
    LoadedMessage loaded;
    loaded.record = std::move(*record);
    if (!with_body) return loaded;
    const rocksdb::Status status = db_->Get(options, tables_.bodies, key, &value);
    if (status.IsNotFound()) return spoilt(id, {conf::ErrorCode::kCorrupt, "its body is missing"});
    if (!status.ok()) return spoilt(id, error_of(status, "reading the body"));
    const conf::Result<std::string_view> body = decode_body(id, value);
    if (!body.ok()) return spoilt(id, body.error());
    value.erase(0, static_cast<size_t>(body.value().data() - value.data()));
    loaded.body = conf::Bytes(std::move(value));
    return loaded;
  }

  static void say_damage(const std::string& key, const std::string& why) {
    conf::say("message " + key + ": " + why);
  }

  static conf::Error not_found() { return {conf::ErrorCode::kNotFound, "no such message in the spool"}; }

  conf::Error spoilt(conf::MessageId id, const conf::Error& why) {
    if (why.code == conf::ErrorCode::kCorrupt) put_aside(id);
    return why;
  }

  // Copies what can be read to set-aside/, then takes the message out.
  void put_aside(conf::MessageId id) {
    ++set_aside_;
    const bool copied =
        copy_aside(db_.get(), {{tables_.records, ".record"}, {tables_.bodies, ".body"}}, settings_.path, id);
    if (copied) remove(id);
  }

  const conf::SpoolSettings settings_;
  const std::shared_ptr<Ballast> ballast_;
  const std::shared_ptr<DiskPatience> patience_;
  const std::unique_ptr<rocksdb::Env> env_;  // outlives the database
  const std::unique_ptr<rocksdb::DB> db_;
  const RocksTables tables_;
  const std::vector<std::string> damage_;    // what open_database() says
  const std::vector<conf::MessageId> lost_;  // likewise
  const DiskWatch watch_;
  rocksdb::WriteBatch batch_;  // committer's thread
  RocksLatest latest_;         // likewise
  RefusedList refused_;        // after the start: committer's thread
  bool any_refused_ = false;   // likewise
  std::chrono::steady_clock::time_point next_fill_;
  MessageIds ids_;
  Completions completions_;
  std::atomic<uint64_t> stored_ = 0, updated_ = 0, removed_ = 0, batches_ = 0, syncs_ = 0, bytes_written_ = 0,
                        set_aside_ = 0, kept_ = 0;
  std::unique_ptr<ReadQueue> reads_;
  std::unique_ptr<Committer> committer_;
};

}  // namespace

conf::Result<std::unique_ptr<Spool>> RocksSpool::open(const conf::SpoolSettings& settings) {
  std::error_code code;
  std::filesystem::create_directories(settings.path, code);
  if (code)
    return conf::Error{conf::ErrorCode::kIo,
                       "[spool] path: cannot make " + settings.path + ": " + code.message()};
  auto ballast = std::make_shared<Ballast>(settings.path, settings.reserve_bytes);
  ballast->fill();
  if (!ballast->has_room(kRoomToStart))
    return conf::Error{conf::ErrorCode::kNoSpace,
                       "the disk is full: the spool " + settings.path + " cannot be opened without " +
                           std::to_string(kRoomToStart >> 10) + " KiB of room; make room and start again"};
  auto patience = std::make_shared<DiskPatience>(ballast);
  auto marks = std::make_shared<SyncMarks>(settings.path);
  std::unique_ptr<rocksdb::Env> env = make_patient_env(patience, marks);
  patience->opening(true);
  conf::Result<RocksDatabase> opened = open_database(settings.path, env.get(), marks.get());
  patience->opening(false);
  if (!opened.ok()) return opened.error();
  return std::unique_ptr<Spool>(std::make_unique<DiskSpool>(settings, std::move(ballast), std::move(patience),
                                                            std::move(env), std::move(*opened)));
}

}  // namespace relay::spool
