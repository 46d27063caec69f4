#include "bounce/ledger/ledger_keeper.h"

#include "bounce/ledger/address_table.h"
#include "bounce/ledger/ledger_keeper_thread.h"
#include "conf/vocab/utf8.h"

namespace bounce {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr int64_t kHour = 3'600'000'000;  // microseconds
constexpr conf::Duration kTellGuard = 10s;
constexpr size_t kChangesAStep = 5000;  // an import brings a million; the loop has other things to do
constexpr uint64_t kRoomToGrow = 100'000;
constexpr size_t kTallyText = 160;  // octets of a text in reports

bool has_digit(std::string_view word) { return word.find_first_of("0123456789") != std::string_view::npos; }

// The text without what differs from mail to mail, so that one failure is one line of a report: addresses
// become
// *, longer words with digits in them #ID#. Codes and enhanced statuses stay.
std::string common_text(std::string_view text) {
  std::string out;
  size_t at = 0;
  text = conf::utf8_prefix(text, kKeptText);
  while (at < text.size() && out.size() < kTallyText) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const bool status = word.find_first_not_of("0123456789.-") == std::string_view::npos &&
                        word.find('.') != std::string_view::npos && word.size() <= 12;
    if (word.find('@') != std::string_view::npos) {
      out += '*';
    } else if (word.size() > 3 && has_digit(word) && !status) {
      out += "#ID#";
    } else {
      out += word;
    }
    if (end < text.size()) out += ' ';
    at = end + 1;
  }
  return out;
}

uint64_t next_wave(const std::vector<Wave>& waves) { return waves.empty() ? 1 : waves.back().id + 1; }

}  // namespace

conf::Result<std::unique_ptr<LedgerKeeper>> LedgerKeeper::open(Options options) {
  auto keeper = open_once(options);
  if (keeper.ok() || keeper.error().code != conf::ErrorCode::kCorrupt) return keeper;
  const std::string aside = set_aside(options.path, options.clock->wall());
  options.say("quarantine: " + keeper.error().detail + "; the damaged ledger is kept as " + aside +
              " and a new one is begun; mail goes on");
  return open_once(std::move(options));
}

conf::Result<std::unique_ptr<LedgerKeeper>> LedgerKeeper::open_once(Options options) {
  std::string warning;
  auto ledger = SqliteLedger::open(options.path, options.clock->wall(), &warning);
  if (!ledger.ok()) return ledger.error();
  if (!warning.empty()) options.say("quarantine: " + warning);
  std::unique_ptr<LedgerKeeper> keeper(new LedgerKeeper(std::move(options)));
  auto key = (*ledger)->sip_key();
  if (!key.ok()) return key.error();
  keeper->key_ = key.value();
  auto waves = (*ledger)->waves();
  if (!waves.ok()) return waves.error();
  auto sites = (*ledger)->sites();
  if (!sites.ok()) return sites.error();
  keeper->guard_ = OutageGuard(keeper->options_.guard, next_wave(*waves));
  for (const auto& [site, history] : *sites) keeper->guard_.restore(site, history);
  for (const Wave& wave : *waves) keeper->guard_.restore(wave);
  const conf::Status held = (*ledger)->each_held(0, [&keeper](const std::string& address) {
    keeper->held_addresses_.insert(address_key(keeper->key_, "", address));
  });
  if (!held.ok()) return held.error();
  (void)keeper->known_.load(keeper->options_.path + "-known");  // absent at first
  const auto last = (*ledger)->each([&keeper](const StatusChange& row) {
    keeper->has_lists_ |= !row.list.empty();
    keeper->table_->set(address_key(keeper->key_, row.list, row.address), row.status, row.reason);
  });
  if (!last.ok()) return last.error();
  // The table doubles in one step: better now than under load.
  const uint64_t rows = keeper->table_->size();
  keeper->table_->reserve(rows + rows / 4 + kRoomToGrow);
  keeper->thread_ =
      std::make_unique<Thread>(keeper->options_, std::move(*ledger), &keeper->known_, last.value());
  return keeper;
}

LedgerKeeper::LedgerKeeper(Options options)
    : options_(std::move(options)),
      table_(std::make_unique<AddressTable>()),
      known_(options_.guard.known_addresses, options_.guard.known_good),
      guard_(options_.guard, 1) {}

LedgerKeeper::~LedgerKeeper() {
  if (thread_ != nullptr) thread_->put(guard_.changed(options_.clock->wall()), guard_.take_histories());
}

AddressStanding LedgerKeeper::standing(const conf::Mailbox& recipient, std::string_view sender_domain,
                                       std::string_view user) const {
  const std::string address = folded(recipient, options_.settings.fold_local_part);
  if (has_lists_) {
    for (const std::string_view list : {user, sender_domain}) {
      if (list.empty()) continue;
      const AddressStanding own = table_->standing(address_key(key_, list, address));
      if (is_barred(own.status) || own.status == AddressStatus::kAllowlisted) return own;
    }
  }
  return table_->standing(address_key(key_, "", address));
}

std::string_view LedgerKeeper::list_for(const AddressOutcome& outcome) const {
  switch (options_.settings.lists) {
    case conf::QuarantineLists::kSenderDomain:
      return outcome.sender_domain;
    case conf::QuarantineLists::kUser:
      return outcome.user;
    case conf::QuarantineLists::kGlobal:
      break;
  }
  return {};
}

AddressSignal LedgerKeeper::signal_of(const AddressOutcome& outcome) const {
  AddressSignal signal;
  signal.list = list_for(outcome);
  signal.address = folded(*outcome.recipient, options_.settings.fold_local_part);
  // Who is allowed for everybody comes into no list of a tenant.
  if (!signal.list.empty() &&
      table_->find(address_key(key_, "", signal.address)) == AddressStatus::kAllowlisted)
    signal.list.clear();
  // Below 2^63, for the file keeps signed numbers; never 0, which means none.
  const uint64_t hash = siphash({outcome.message, outcome.attempt}, signal.address);
  signal.identity = outcome.message == 0 ? 0 : (hash >> 1) | 1;
  signal.message = outcome.message;
  signal.event.at = outcome.now;
  signal.text = conf::utf8_prefix(outcome.text, kKeptText);  // many may wait for the disk
  signal.site = outcome.site;
  signal.mx_host = outcome.mx_host;
  return signal;
}

AddressSignal LedgerKeeper::error_of(const AddressOutcome& outcome, const Qualification& meaning) const {
  AddressSignal signal = signal_of(outcome);
  // One try may be told as Soft and, tried again at once by an operator's wish, as Hard.
  if (signal.identity != 0 && meaning.type == ErrorType::kHard) signal.identity ^= 2;
  // A rule that defers takes no step of the schedule, so that a try of the next day has the same number. That
  // an error counts once in a day is enough here: a Soft one is never told twice.
  if (meaning.type != ErrorType::kHard && !outcome.late) signal.identity = 0;
  signal.event.type = meaning.type == ErrorType::kNotDefined ? ErrorType::kSoft : meaning.type;
  signal.event.unqualified = meaning.unread || meaning.type == ErrorType::kNotDefined;
  signal.event.scope = meaning.scope;
  signal.event.reason = static_cast<uint8_t>(meaning.reason);
  signal.rule = meaning.rule;
  return signal;
}

void LedgerKeeper::put(AddressSignal signal) {
  ++given_;
  thread_->put(std::move(signal));
}

void LedgerKeeper::retold(const AddressOutcome& outcome, const Qualification& meaning) {
  if (meaning.scope == Scope::kRecipient && meaning.type == ErrorType::kHard) put(error_of(outcome, meaning));
}

void LedgerKeeper::delivered(const AddressOutcome& outcome) {
  const std::string address = folded(*outcome.recipient, options_.settings.fold_local_part);
  const uint64_t everybody = address_key(key_, "", address);
  guard_.delivered(std::string(outcome.site), known_.knows(everybody), outcome.now);
  known_.add(everybody, outcome.now);
  const std::string_view list = list_for(outcome);
  const uint64_t key = list.empty() ? everybody : address_key(key_, list, address);
  const bool held = held_addresses_.erase(everybody) != 0;
  if (!held && table_->find(key) != AddressStatus::kWithErrors) return;
  AddressSignal signal = signal_of(outcome);
  signal.identity = 0;  // a second success changes nothing
  signal.event.kind = AddressEventKind::kDelivered;
  put(std::move(signal));
}

GuardVerdict LedgerKeeper::judge(const AddressOutcome& outcome, uint64_t key) {
  const std::string site(outcome.site);
  bool known = known_.knows(key);
  if (outcome.late) {
    // Many take all mail and bounce it later: that they took this one says nothing of the address.
    known = known_.knew(key);
    if (!known && guard_.wave_of(site) == nullptr) return {};
  }
  const GuardVerdict verdict = guard_.hard(site, key, known, outcome.now);
  if (verdict.wave != 0) held_addresses_.insert(key);
  if (!verdict.declared) return verdict;
  for (const uint64_t first : guard_.refused_lately(site)) held_addresses_.insert(first);
  const Wave* wave = guard_.wave_of(site);
  options_.say("outage guard: wave " + std::to_string(verdict.wave) + " at " + site + ": " + wave->why +
               "; its Hard errors are held back from the quarantine and its mail is kept; see `penstock "
               "quarantine waves`");
  if (options_.declared) options_.declared(*wave);
  thread_->put({*wave}, {});
  return verdict;
}

bool LedgerKeeper::refused(const AddressOutcome& outcome, const Qualification& meaning) {
  if (meaning.scope != Scope::kRecipient || meaning.type == ErrorType::kIgnored) return false;
  AddressSignal signal = error_of(outcome, meaning);
  if (meaning.type == ErrorType::kHard) {
    const GuardVerdict verdict = judge(outcome, address_key(key_, "", signal.address));
    if (verdict.hold) {
      ++held_;
      signal.held_by = verdict.wave;
      if (verdict.wave != 0) put(std::move(signal));
      return true;
    }
  }
  put(std::move(signal));
  return false;
}

void LedgerKeeper::complained(const AddressOutcome& outcome, Reason reason) {
  AddressSignal signal = signal_of(outcome);
  signal.event.kind = AddressEventKind::kComplaint;
  signal.event.reason = static_cast<uint8_t>(reason);
  put(std::move(signal));
}

void LedgerKeeper::count(Outcome what, const AddressOutcome& outcome, const Qualification* meaning) {
  TallyKey key;
  key.hour = conf::unix_micros(outcome.now) / kHour;
  key.outcome = static_cast<uint8_t>(what);
  key.type = static_cast<uint8_t>(meaning == nullptr ? ErrorType::kIgnored : meaning->type);
  key.reason = meaning == nullptr ? uint8_t{0} : static_cast<uint8_t>(meaning->reason);
  key.site = outcome.site;
  key.source = outcome.source;
  key.sender_domain = outcome.sender_domain;
  thread_->put(key, what == Outcome::kDelivered ? std::string() : common_text(outcome.text));
}

void LedgerKeeper::step() {
  bool more = false;
  for (const StatusChange& change : thread_->take_changes(kChangesAStep, &more)) {
    has_lists_ |= !change.list.empty();
    table_->set(address_key(key_, change.list, change.address), change.status, change.reason);
    if (change.automatic && is_barred(change.status) && options_.moved) options_.moved(change);
  }
  if (more) options_.wake();
  const conf::WallTime now = options_.clock->wall();
  for (const Thread::Decision& told : thread_->take_decisions()) {
    if (!is_undecided(told.wave.state)) {
      guard_.decide(told.wave.id, told.wave.state == WaveState::kReleased, now);
      continue;
    }
    guard_.take_back(told.wave);
    for (const std::string& address : told.held) held_addresses_.insert(address_key(key_, "", address));
  }
  if (now - guard_told_ < kTellGuard && guard_told_ <= now) return;
  guard_told_ = now;
  std::vector<Wave> waves = guard_.changed(now);
  std::vector<std::pair<std::string, SiteHistory>> sites = guard_.take_histories();
  if (!waves.empty() || !sites.empty()) thread_->put(std::move(waves), std::move(sites));
}

void LedgerKeeper::reload(const conf::QuarantineSettings& settings, const conf::OutageGuardSettings& guard) {
  options_.settings = settings;
  options_.guard = guard;
  guard_.reload(guard);
  thread_->reload(settings);
}

KeeperCounts LedgerKeeper::counts() const {
  KeeperCounts counts = thread_->counts();
  counts.rows = table_->size();
  counts.open_waves = guard_.open_waves();
  counts.held = held_;
  counts.given = given_;
  return counts;
}

}  // namespace bounce
