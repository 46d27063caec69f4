// The engine "opendkim": libopendkim. It parses the key for every message, which costs about three times the
// RSA operation itself. Ed25519 keys are signed with by the evp engine all the same: libopendkim 2.11 loses
// 512 bytes with each such signature.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "dkim/evp_signer.h"
#include "dkim/signer.h"

namespace dkim {

class OpendkimLibrary;

class OpendkimSigner final : public Signer {
 public:
  // With `fixed_time` every signature says that time: for comparisons. Without, it says the system's, and
  // the `now` of sign() counts for Ed25519 only.
  explicit OpendkimSigner(std::optional<conf::WallTime> fixed_time = std::nullopt);
  ~OpendkimSigner() override;
  conf::Result<std::string> sign(const SigningKey& key, Mail* mail, conf::WallTime now) const override;

 private:
  const OpendkimLibrary& library_for(const conf::DkimOptions& options) const;

  const std::optional<conf::WallTime> fixed_time_;
  const EvpSigner evp_;
  mutable std::mutex mutex_;
  // One for each set of options: header lists and life time belong to the library handle.
  mutable std::map<std::string, std::unique_ptr<OpendkimLibrary>> libraries_;
};

}  // namespace dkim
