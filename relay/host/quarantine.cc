#include "relay/host/quarantine.h"

#include <utility>

#include "relay/journal/events.h"

namespace relay {

namespace {

void tell_of_change(journal::Journal* journal, const bounce::StatusChange& change, conf::WallTime now) {
  conf::AddressNotice notice;
  notice.status = change.status;
  notice.list = change.list;
  journal->append(journal::address_moved(change.address, std::move(notice),
                                         static_cast<conf::Reason>(change.reason), now));
}

void tell_of_wave(journal::Journal* journal, const bounce::Wave& wave, conf::WallTime now) {
  conf::AddressNotice notice;
  notice.wave = wave.id;
  notice.refusals = wave.refusals;
  journal->append(journal::wave_declared(wave.site, std::move(notice), wave.why, now));
}

}  // namespace

conf::Result<std::unique_ptr<Quarantine>> Quarantine::open(Parts parts, const conf::ConfigPtr& config) {
  std::unique_ptr<Quarantine> made(new Quarantine(std::move(parts)));
  if (!config->quarantine.enabled) return made;
  const Parts& own = made->parts_;
  bounce::LedgerKeeper::Options options;
  options.path = bounce::ledger_path(config->quarantine, config->spool.path);
  options.settings = config->quarantine;
  options.guard = config->outage_guard;
  options.clock = own.clock;
  options.wake = own.wake;
  options.say = own.say;
  options.moved = [journal = own.journal, clock = own.clock](const bounce::StatusChange& change) {
    tell_of_change(journal, change, clock->wall());
  };
  options.declared = [journal = own.journal, clock = own.clock](const bounce::Wave& wave) {
    tell_of_wave(journal, wave, clock->wall());
  };
  auto keeper = bounce::LedgerKeeper::open(std::move(options));
  if (!keeper.ok()) {
    return conf::Error{keeper.error().code,
                       "the ledger of the quarantine cannot be opened: " + keeper.error().detail +
                           "; set [quarantine] path, or enabled = false to send without it"};
  }
  made->keeper_ = std::move(*keeper);
  made->watch_ = std::make_unique<AddressWatch>(
      AddressWatch::Parts{made->keeper_.get(), own.journal, own.clock}, config);
  const auto progress = [keeper = made->keeper_.get()] {
    const bounce::KeeperCounts counts = keeper->counts();
    return LedgerFeed::Progress{counts.given, counts.given - counts.waiting};
  };
  made->feed_ = std::make_unique<LedgerFeed>(made->keeper_.get(), progress, own.say);
  made->feed_->count_late(config->returns.count_late);
  own.journal->add(made->feed_.get());
  return made;
}

Quarantine::~Quarantine() {
  if (feed_ != nullptr) parts_.journal->remove(feed_.get());
}

void Quarantine::join(TransitParts* parts) {
  if (watch_ == nullptr) return;
  if (parts->qualifier != nullptr) watch_->use(parts->qualifier);
  parts->veto = watch_.get();
  parts->witness = watch_.get();
}

Quarantine::Door Quarantine::door() {
  if (watch_ == nullptr) return {};
  return [this](const conf::Envelope& envelope, const conf::Recipient& recipient) {
    return watch_->at_door(envelope, recipient);
  };
}

void Quarantine::step(conf::Instant now) {
  if (keeper_ == nullptr) return;
  keeper_->step();
  feed_->step(now);
}

std::string Quarantine::barred(const conf::Mailbox& address) const {
  return watch_ == nullptr ? std::string() : watch_->barred(address);
}

journal::QuarantineGauges Quarantine::gauges() const {
  if (keeper_ == nullptr) return {};
  const bounce::KeeperCounts counts = keeper_->counts();
  return {counts.rows, counts.open_waves, counts.held, counts.waiting, counts.lost};
}

void Quarantine::reload(const conf::ConfigPtr& config) {
  if (watch_ == nullptr) return;
  watch_->reload(config);
  keeper_->reload(config->quarantine, config->outage_guard);
  feed_->count_late(config->returns.count_late);
}

}  // namespace relay
