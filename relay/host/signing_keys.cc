#include "relay/host/signing_keys.h"

#include <utility>

#include "dkim/record.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kLookAgain = 1min;  // the cache of the resolver spares the name servers

}  // namespace

SigningKeys::SigningKeys(std::function<void()> wake, Say say)
    : say_(std::move(say)), pool_(std::move(wake)) {}

std::shared_ptr<const dkim::KeyStore> SigningKeys::read(const conf::Config& config,
                                                        std::vector<conf::Problem>* problems) {
  return dkim::KeyStore::load(config.dkim, config.file, *dkim::make_signer(config.dkim.engine), problems,
                              config.run_as);
}

void SigningKeys::use(std::shared_ptr<const dkim::KeyStore> keys, const conf::DkimSettings& settings,
                      mx::Resolver* resolver, conf::Instant now) {
  // A record seen once counts for the same key after a reload.
  for (const auto& fresh : keys->entries()) {
    if (keys_ == nullptr) break;
    for (const auto& old : keys_->entries()) {
      const bool same = old->mask == fresh->mask && old->signing->selector == fresh->signing->selector &&
                        old->signing->key->public_text() == fresh->signing->key->public_text();
      if (same && old->seen) fresh->seen = true;
    }
  }
  keys_ = keys;
  resolver_ = resolver;
  next_look_ = now;
  pool_.use(std::move(keys), settings);
}

void SigningKeys::step(conf::Instant now) {
  if (next_look_ > now) return;
  next_look_ = conf::kNever;
  for (const auto& entry : keys_->entries()) {
    if (entry->active()) continue;
    next_look_ = now + kLookAgain;
    resolver_->query(dkim::record_name(entry->signing->selector, entry->signing->domain),
                     mx::RecordType::kTxt,
                     [this, entry](const mx::DnsAnswerPtr& answer) { answered(entry, *answer); });
  }
}

void SigningKeys::answered(const std::shared_ptr<dkim::KeyStore::Entry>& entry,
                           const mx::DnsAnswer& answer) const {
  for (const std::string& text : answer.texts) {
    if (!dkim::compare_record(text, *entry->signing->key).ok()) continue;
    if (!entry->seen.exchange(true)) {
      say_("dkim: the record of " + dkim::record_name(entry->signing->selector, entry->signing->domain) +
           " is there; its key signs from now on");
    }
    return;
  }
}

}  // namespace relay
