#include "bounce/ledger/ledger_keeper_thread.h"

#include <algorithm>
#include <iterator>

namespace bounce {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kMostWaiting = 200'000;  // signals: about 100 MB
constexpr size_t kMostTallies = 100'000;  // keys between two batches
constexpr size_t kMostTexts = 2000;       // texts between two batches
constexpr uint64_t kChangesAtOnce = 10'000;
constexpr uint64_t kSweptAtOnce = 5000;
constexpr auto kBetweenBatches = 100ms;
constexpr auto kLookOutside = 1s;  // for what other processes wrote
constexpr conf::Duration kUpkeep = 1h;
constexpr conf::Duration kComplain = 1min;
constexpr conf::Duration kLastPatience = 10s;

}  // namespace

LedgerKeeper::Thread::Thread(Options options, std::unique_ptr<SqliteLedger> ledger,
                             const KnownAddresses* known, uint64_t sequence)
    : options_(std::move(options)),
      ledger_(std::move(ledger)),
      known_(known),
      sequence_(sequence),
      settings_(options_.settings) {
  kept_ = options_.clock->wall();
  thread_ = std::thread([this] { run(); });
}

LedgerKeeper::Thread::~Thread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LedgerKeeper::Thread::put(AddressSignal signal) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (counts_.waiting >= kMostWaiting) {
    ++counts_.lost;
    return;
  }
  ++counts_.waiting;
  pending_.signals.push_back(std::move(signal));
  changed_.notify_one();
}

void LedgerKeeper::Thread::put(const TallyKey& key, std::string_view text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = tallies_.find(key);
  if (found != tallies_.end()) {
    ++found->second;
  } else if (tallies_.size() < kMostTallies) {
    tallies_.emplace(key, 1);
  }
  if (text.empty()) return;
  const bool room = texts_.size() < kMostTexts;
  ++texts_[{key.hour, room ? std::string(text) : "(other texts)"}];
}

void LedgerKeeper::Thread::put(std::vector<Wave> waves,
                               std::vector<std::pair<std::string, SiteHistory>> sites) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Wave& wave : waves) waves_[wave.id] = std::move(wave);
  for (auto& [name, history] : sites) sites_[name] = history;
  changed_.notify_one();
}

void LedgerKeeper::Thread::reload(const conf::QuarantineSettings& settings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  settings_ = settings;
}

std::vector<StatusChange> LedgerKeeper::Thread::take_changes(size_t most, bool* more) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto end = changes_.begin() + static_cast<std::ptrdiff_t>(std::min(most, changes_.size()));
  std::vector<StatusChange> taken(std::make_move_iterator(changes_.begin()), std::make_move_iterator(end));
  changes_.erase(changes_.begin(), end);
  *more = !changes_.empty();
  return taken;
}

std::vector<LedgerKeeper::Thread::Decision> LedgerKeeper::Thread::take_decisions() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(decisions_, {});
}

KeeperCounts LedgerKeeper::Thread::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

LedgerBatch LedgerKeeper::Thread::take(std::unique_lock<std::mutex>* lock) {
  (void)*lock;  // is held
  LedgerBatch batch = std::exchange(pending_, {});
  for (auto& [key, count] : tallies_) batch.tallies.push_back({key, count});
  for (auto& [key, count] : texts_) batch.texts.push_back({key.first, key.second, count});
  for (auto& [id, wave] : waves_) batch.waves.push_back(std::move(wave));
  for (auto& [name, history] : sites_) batch.sites.emplace_back(name, history);
  tallies_.clear();
  texts_.clear();
  waves_.clear();
  sites_.clear();
  return batch;
}

void LedgerKeeper::Thread::run() {
  LedgerBatch batch;
  for (bool last = false; !last;) {
    conf::QuarantineSettings settings;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait_for(lock, kLookOutside, [this] { return stopping_ || has_work(); });
      if (!stopping_) changed_.wait_for(lock, kBetweenBatches, [this] { return stopping_; });
      last = stopping_;
      settings = settings_;
      if (batch.empty()) batch = take(&lock);
    }
    const bool wrote = !batch.empty() && write(&batch, settings);
    if (wrote || ledger_->changed_outside()) read_changes();
    const conf::WallTime now = options_.clock->wall();
    if (!last && now - kept_ >= kUpkeep) upkeep(now, settings);
  }
  if (write_rest(&batch)) upkeep(options_.clock->wall(), settings_);
}

// What was not in the file when the end was asked for, and what came meanwhile. Another process may hold the
// file for some seconds, and a disk may be full for one: that must not cost what was decided.
bool LedgerKeeper::Thread::write_rest(LedgerBatch* batch) {
  const conf::Instant until = options_.clock->now() + kLastPatience;
  while (true) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (batch->empty()) *batch = take(&lock);
    const conf::QuarantineSettings settings = settings_;
    lock.unlock();
    if (batch->empty()) return true;
    if (write(batch, settings)) continue;
    if (options_.clock->now() >= until) break;
    std::this_thread::sleep_for(kBetweenBatches);
  }
  options_.say("quarantine: " + std::to_string(batch->signals.size()) +
               " decisions could not be written before the end and are lost, but for those that stand in the "
               "spool; see that the disk of " +
               options_.path + " has room, and that no other process holds the file");
  return false;
}

// True when it is in the file; then `batch` is empty. A full disk: it is tried again with the next round.
bool LedgerKeeper::Thread::write(LedgerBatch* batch, const conf::QuarantineSettings& settings) {
  const conf::Status status = ledger_->apply(*batch, settings);
  const conf::WallTime now = options_.clock->wall();
  if (status.ok()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_.written += batch->signals.size();
    counts_.waiting -= batch->signals.size();
    *batch = LedgerBatch();
    return true;
  }
  if (status.error().code == conf::ErrorCode::kCorrupt) {
    ledger_.reset();
    const std::string aside = set_aside(options_.path, now);
    std::string warning;
    auto fresh = SqliteLedger::open(options_.path, now, &warning);
    options_.say(
        "quarantine: " + status.error().detail + "; the damaged ledger is kept as " + aside +
        " and a new one is begun; mail goes on, addresses in memory stay as they are until a restart");
    if (fresh.ok()) {
      ledger_ = std::move(*fresh);
      sequence_ = 0;
      return false;  // the batch goes into the new one
    }
    // Nothing can be opened there: a ledger in memory keeps the thread going.
    auto memory = SqliteLedger::open(":memory:", now, &warning);
    CHECK(memory.ok());
    ledger_ = std::move(*memory);
    sequence_ = 0;
  }
  if (now - complained_ >= kComplain) {
    complained_ = now;
    options_.say("quarantine: decisions cannot be written (" + status.error().detail +
                 "); they wait in memory and are tried again");
  }
  return false;
}

void LedgerKeeper::Thread::read_changes() {
  for (bool more = true; more;) {
    auto found = ledger_->changes(sequence_, kChangesAtOnce);
    if (!found.ok() || found->empty()) break;
    sequence_ = found->back().sequence;
    more = found->size() == kChangesAtOnce;
    const std::lock_guard<std::mutex> lock(mutex_);
    changes_.insert(changes_.end(), std::make_move_iterator(found->begin()),
                    std::make_move_iterator(found->end()));
  }
  read_decisions();
  options_.wake();
}

void LedgerKeeper::Thread::read_decisions() {
  const auto waves = ledger_->waves();
  if (!waves.ok()) return;
  for (const Wave& wave : waves.value()) {
    const auto told = told_.find(wave.id);
    const bool decided = told != told_.end();
    if (is_undecided(wave.state) ? !decided : decided && told->second == wave.state) continue;
    Decision decision;
    decision.wave = wave;
    if (is_undecided(wave.state)) {
      const auto hold = [&decision](const std::string& address) { decision.held.push_back(address); };
      if (!ledger_->each_held(wave.id, hold).ok()) continue;  // asked again with the next change
      told_.erase(told);
    } else {
      told_[wave.id] = wave.state;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    decisions_.push_back(std::move(decision));
  }
}

void LedgerKeeper::Thread::upkeep(conf::WallTime now, const conf::QuarantineSettings& settings) {
  kept_ = now;
  auto swept = ledger_->sweep(now, settings, kSweptAtOnce);
  while (swept.ok() && swept.value() == kSweptAtOnce) swept = ledger_->sweep(now, settings, kSweptAtOnce);
  (void)ledger_->forget(now, settings, 100'000);
  const conf::Status saved = known_->save(options_.path + "-known");
  if (!saved.ok()) options_.say("outage guard: " + saved.error().detail);
  if (swept.ok() && swept.value() != 0) read_changes();
}

}  // namespace bounce
