// What an operator may set of DKIM signing: [dkim] and each [[dkim_key]]. docs/configuration.md explains the
// keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace conf {

enum class DkimEngine : uint8_t { kEvp, kOpendkim };
enum class Canonicalization : uint8_t { kSimple, kRelaxed };  // RFC 6376 §3.4
enum class WithoutSignature : uint8_t { kSend, kDefer };

struct DkimOptions {                                     // [dkim], and each [[dkim_key]] inherits them
  Canonicalization header = Canonicalization::kRelaxed;  // header_canonicalization
  Canonicalization body = Canonicalization::kRelaxed;    // body_canonicalization
  // headers: signed wherever they stand (RFC 6376 §5.4.1); never Received and Return-Path
  std::vector<std::string> headers = {"From",
                                      "To",
                                      "Cc",
                                      "Reply-To",
                                      "Sender",
                                      "Subject",
                                      "Date",
                                      "Message-ID",
                                      "In-Reply-To",
                                      "References",
                                      "MIME-Version",
                                      "Content-Type",
                                      "Content-Transfer-Encoding",
                                      "List-Id",
                                      "List-Help",
                                      "List-Post",
                                      "List-Unsubscribe",
                                      "List-Unsubscribe-Post",
                                      "Feedback-ID"};
  // oversign: named once more than they stand there, so that none can be added (RFC 6376 §8.15)
  std::vector<std::string> oversign = {"From",
                                       "To",
                                       "Cc",
                                       "Reply-To",
                                       "Subject",
                                       "Date",
                                       "Message-ID",
                                       "MIME-Version",
                                       "Content-Type",
                                       "List-Unsubscribe",
                                       "List-Unsubscribe-Post"};
  Duration expire{0};    // expire: x= this long after t=; 0: none
  std::string identity;  // identity: i=; empty: none
  bool operator==(const DkimOptions&) const = default;
};

struct DkimKey {                 // [[dkim_key]]
  std::string domain;            // domain = "example.com" or "*.example.com"
  std::string selector;          // selector
  std::string file;              // file: PEM, PKCS#8 or PKCS#1
  bool subdomains = true;        // subdomains: also for From domains below this one
  bool wait_for_record = false;  // wait_for_record: signs only once its record is seen in DNS
  DkimOptions options;
  int line = 0;
  int column = 0;
};

struct DkimSettings {                    // [dkim]
  DkimEngine engine = DkimEngine::kEvp;  // engine = "evp" | "opendkim"
  uint32_t workers = 0;                  // workers: threads; 0: one per processor
  uint32_t queue = 4096;                 // queue: messages that may wait for a worker
  double self_check = 0;                 // self_check: share of signatures verified again
  WithoutSignature without_signature = WithoutSignature::kSend;  // without_signature = "send" | "defer"
  Duration signature_age = std::chrono::hours(24);  // signature_age: so long retries send the same one
  std::string default_domain;  // default_domain: signs mail whose From domain has no key; empty: none
  DkimOptions options;
  std::vector<DkimKey> keys;
};

}  // namespace conf
