// The DKIM-Signature field, RFC 6376 §3.5: which fields it covers, its tags, how it is folded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/dkim_settings.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "dkim/mail_fields.h"
#include "dkim/private_key.h"

namespace dkim {

struct SignatureTags {
  Algorithm algorithm = Algorithm::kRsaSha256;
  conf::Canonicalization header = conf::Canonicalization::kRelaxed;
  conf::Canonicalization body = conf::Canonicalization::kRelaxed;
  std::string domain;              // d=
  std::string selector;            // s=
  std::string identity;            // i=; empty: none
  int64_t signed_at = 0;           // t=, seconds since 1970
  int64_t expires_at = -1;         // x=; below 0: none
  std::string body_hash;           // bh=, base64
  std::vector<std::string> names;  // h=
};

// The names for h=: each field of the message that is in `headers` or `oversign`, from the top, with its own
// spelling, then each of `oversign` once more. kLimit: the list would not fit in a line of 998 characters.
conf::Result<std::vector<std::string>> names_to_sign(const MailFields& mail,
                                                     const std::vector<std::string>& headers,
                                                     const std::vector<std::string>& oversign);

// "DKIM-Signature: v=1; ...; b=" in one line, tags in the order of libopendkim, so that both engines make the
// same signature.
std::string unsigned_field(const SignatureTags& tags);

// What the signature is over: the fields that `names` choose, each taken from the bottom up (RFC 6376
// §5.4.2), canonicalized, then the field with its empty b=, without a last CRLF (§3.7).
std::string signed_data(const MailFields& mail, const std::vector<std::string>& names,
                        conf::Canonicalization how, std::string_view field);

// The finished field with its CRLF, in lines of at most 78 characters where that is possible. White space is
// only put where the canonicalization does not see it: in b= always, between tags when it is relaxed.
std::string fold(std::string_view field, std::string_view signature, conf::Canonicalization how);

}  // namespace dkim
