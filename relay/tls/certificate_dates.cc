#include "relay/tls/certificate_dates.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

namespace relay::tls {

namespace {

constexpr int64_t kDaysAhead = 14;
constexpr int64_t kDay = 86'400;

// Seconds since 1970; 0: not to be read.
int64_t seconds_of(const ASN1_TIME* time) {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(timegm(&parts)) : 0;
}

std::string day_text(int64_t seconds) {
  const auto time = static_cast<time_t>(seconds);
  tm parts{};
  std::array<char, 16> text{};
  gmtime_r(&time, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

std::string days_text(int64_t days) {
  return days == 0 ? "today" : days == 1 ? "in 1 day" : "in " + std::to_string(days) + " days";
}

}  // namespace

std::string dates_warning(const std::string& file, conf::WallTime now) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "re"), &std::fclose);
  if (in == nullptr) return "";
  int64_t begins = 0, ends = INT64_MAX;
  while (true) {
    const std::unique_ptr<X509, void (*)(X509*)> one(PEM_read_X509(in.get(), nullptr, nullptr, nullptr),
                                                     &X509_free);
    if (one == nullptr) break;
    begins = std::max(begins, seconds_of(X509_get0_notBefore(one.get())));
    ends = std::min(ends, seconds_of(X509_get0_notAfter(one.get())));
  }
  ERR_clear_error();  // the end of the file
  const int64_t at = conf::unix_micros(now) / 1'000'000;
  const std::string about = "the certificate in " + file;
  if (ends == INT64_MAX) return "";
  if (ends < at) return about + " has expired on " + day_text(ends);
  if (begins > at) return about + " is not good before " + day_text(begins);
  if (ends - at >= kDaysAhead * kDay) return "";
  return about + " ends on " + day_text(ends) + ", " + days_text((ends - at) / kDay) + ": renew it";
}

}  // namespace relay::tls
