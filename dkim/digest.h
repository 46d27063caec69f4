// SHA-256 (FIPS 180-4) in pieces, from OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dkim/canonical.h"

struct evp_md_ctx_st;

namespace dkim {

using Sha256Value = std::array<uint8_t, 32>;

class Sha256 final : public ByteSink {
 public:
  Sha256();
  ~Sha256() override;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void write(std::string_view bytes) override;
  Sha256Value finish();  // once

 private:
  evp_md_ctx_st* context_;
};

Sha256Value body_hash(std::string_view body, conf::Canonicalization how);

std::string base64(const void* data, size_t size);  // RFC 4648 §4

}  // namespace dkim
