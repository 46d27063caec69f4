#include "dkim/key_store.h"

#include <algorithm>

#include "dkim/opendkim_verifier.h"
#include "dkim/record.h"

namespace dkim {

namespace {

constexpr std::string_view kProbe =
    "From: probe@example.com\r\nSubject: a  probe\r\n\r\nIs this key \t good?\r\n\r\n";
constexpr std::string_view kProbeDomain = "example.com";

// Signs the probe and has libopendkim verify it.
conf::Status try_out(SigningKey key, const Signer& signer) {
  key.domain = kProbeDomain;
  key.options.expire = conf::Duration(0);
  key.options.identity.clear();  // it belongs to the real domain
  const std::string record = record_text(*key.key);
  const OpendkimVerifier verifier(
      [&record](const std::string& /*name*/) { return conf::Result<std::string>(record); });
  conf::Result<Mail> probe = Mail::parse(kProbe);
  const conf::Result<std::string> field = signer.sign(key, &probe.value(), conf::SystemClock().wall());
  if (!field.ok()) return field.error();
  const conf::Result<std::vector<Verdict>> verdicts = verifier.verify(field.value() + std::string(kProbe));
  if (!verdicts.ok()) return verdicts.error();
  if (verdicts.value().size() == 1 && verdicts.value().front().good) return conf::success();
  return conf::Error{conf::ErrorCode::kInvalid,
                     verdicts.value().empty() ? "no signature was made" : verdicts.value().front().why};
}

bool starts_wild(std::string_view mask) { return mask.size() > 2 && mask[0] == '*' && mask[1] == '.'; }

}  // namespace

std::shared_ptr<const KeyStore> KeyStore::load(const conf::DkimSettings& settings, const std::string& file,
                                               const Signer& signer, std::vector<conf::Problem>* problems,
                                               const std::string& run_as) {
  auto store = std::make_shared<KeyStore>();
  bool good = true;
  store->default_domain_ = settings.default_domain;
  for (const conf::DkimKey& key : settings.keys) {
    const auto report = [&](const std::string& what, bool warning) {
      problems->push_back({file, key.line, key.column, "[[dkim_key]] file: " + what, warning});
      good = good && warning;
    };
    conf::Result<std::shared_ptr<const PrivateKey>> loaded = PrivateKey::load(key.file, run_as);
    if (!loaded.ok()) {
      report(loaded.error().detail, false);
      continue;
    }
    auto entry = std::make_shared<Entry>();
    entry->mask = key.domain;
    *entry->signing = {std::move(*loaded), starts_wild(key.domain) ? "" : key.domain, key.selector,
                       key.options};
    entry->subdomains = key.subdomains;
    entry->wait_for_record = key.wait_for_record;
    const conf::Status tried = try_out(*entry->signing, signer);
    if (!tried.ok()) {
      report(key.file + " signs, but the signature does not verify: " + tried.error().detail, false);
      continue;
    }
    if (entry->signing->key->weak()) {
      report(key.file + " has only " + std::to_string(entry->signing->key->bits()) +
                 " bits; make a new one: penstock dkim keygen",
             true);
    }
    store->entries_.push_back(std::move(entry));
  }
  for (const std::shared_ptr<Entry>& entry : store->entries_)
    store->by_mask_[entry->mask].push_back(entry.get());
  return good ? store : nullptr;
}

bool KeyStore::signs_like(const KeyStore& other) const {
  return default_domain_ == other.default_domain_ &&
         std::ranges::equal(entries_, other.entries_, [](const auto& a, const auto& b) {
           return a->mask == b->mask && a->subdomains == b->subdomains &&
                  a->signing->selector == b->signing->selector &&
                  a->signing->options == b->signing->options &&
                  a->signing->key->public_text() == b->signing->key->public_text();
         });
}

KeyStore::Keys KeyStore::choose(std::string_view mask, std::string_view from_domain, bool below) const {
  Keys chosen;
  const auto found = by_mask_.find(mask);
  if (found == by_mask_.end()) return chosen;
  for (const Algorithm algorithm : {Algorithm::kRsaSha256, Algorithm::kEd25519Sha256}) {
    for (const Entry* entry : found->second) {
      if (entry->signing->key->algorithm() != algorithm || !entry->active()) continue;
      if (below && !entry->subdomains) continue;
      if (!entry->signing->domain.empty()) {
        chosen.push_back(entry->signing);
      } else {
        auto here = std::make_shared<SigningKey>(*entry->signing);
        here->domain = from_domain;
        chosen.push_back(std::move(here));
      }
      break;
    }
  }
  return chosen;
}

KeyStore::Keys KeyStore::keys_for(std::string_view from_domain) const {
  Keys chosen = choose(from_domain, from_domain, false);
  std::string_view parent = from_domain;
  for (size_t dot = parent.find('.'); chosen.empty() && dot != std::string_view::npos;
       dot = parent.find('.')) {
    parent.remove_prefix(dot + 1);
    chosen = choose("*." + std::string(parent), from_domain, false);
    if (chosen.empty()) chosen = choose(parent, from_domain, true);
  }
  if (chosen.empty() && !default_domain_.empty()) chosen = choose(default_domain_, from_domain, false);
  return chosen;
}

}  // namespace dkim
