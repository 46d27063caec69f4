// The engine "evp": OpenSSL alone. RSA is nearly all of its cost (docs/performance.md).
#pragma once

#include "dkim/signer.h"

namespace dkim {

class EvpSigner final : public Signer {
 public:
  conf::Result<std::string> sign(const SigningKey& key, Mail* mail, conf::WallTime now) const override;
};

}  // namespace dkim
