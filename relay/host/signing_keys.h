// The keys of the running relay: read at the start and at each reload, and watched for their records in DNS
// where the operator asked for that. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "conf/config.h"
#include "conf/config_parser.h"
#include "conf/vocab/time.h"
#include "dkim/key_store.h"
#include "dkim/sign_pool.h"
#include "mx/dns/resolver.h"

namespace relay {

class SigningKeys {
 public:
  using Say = std::function<void(const std::string&)>;
  // `wake` may be called from any thread; `say` tells the operator.
  SigningKeys(std::function<void()> wake, Say say);

  // Reads and tries the keys; null when one cannot be used, with the problems. Nothing changes yet.
  static std::shared_ptr<const dkim::KeyStore> read(const conf::Config& config,
                                                    std::vector<conf::Problem>* problems);
  // Signs with these from now on. `resolver` outlives this.
  void use(std::shared_ptr<const dkim::KeyStore> keys, const conf::DkimSettings& settings,
           mx::Resolver* resolver, conf::Instant now);

  dkim::SignQueue* queue() { return &pool_; }
  void step(conf::Instant now);  // asks for the records that are still waited for
  conf::Instant next_wake() const { return next_look_; }

 private:
  void answered(const std::shared_ptr<dkim::KeyStore::Entry>& entry, const mx::DnsAnswer& answer) const;

  Say say_;
  dkim::SignPool pool_;
  std::shared_ptr<const dkim::KeyStore> keys_;
  mx::Resolver* resolver_ = nullptr;
  conf::Instant next_look_ = conf::kNever;
};

}  // namespace relay
