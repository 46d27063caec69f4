// A DKIM_LIB with its options, and the words of its results. libopendkim's handles may be shared by threads
// once their options are set.
#pragma once

// dkim.h is C: it takes _Bool for a type of the language, and its struct dkim has the name of our namespace.
#define _Bool bool  // NOLINT(bugprone-reserved-identifier)
#define dkim opendkim_session
#include <opendkim/dkim.h>
#undef dkim
#undef _Bool

#include <memory>
#include <optional>
#include <string>

#include "conf/dkim_settings.h"
#include "conf/vocab/time.h"
#include "dkim/mail_fields.h"

namespace dkim {

class OpendkimLibrary {
 public:
  OpendkimLibrary();
  ~OpendkimLibrary();
  OpendkimLibrary(const OpendkimLibrary&) = delete;
  OpendkimLibrary& operator=(const OpendkimLibrary&) = delete;

  void sign_fields(const conf::DkimOptions& options);
  void fix_time(conf::WallTime time);  // which signatures say
  DKIM_LIB* handle() const { return handle_; }

 private:
  DKIM_LIB* handle_;
};

struct OpendkimSessionFree {
  void operator()(DKIM* session) const { dkim_free(session); }
};
using OpendkimSession = std::unique_ptr<DKIM, OpendkimSessionFree>;

// False: libopendkim would read the header otherwise than RFC 6376 does. It works on C strings, which end at
// a NUL, and folds VT and FF as if they were white space (§2.8 knows space and tab only); names with control
// characters it refuses.
bool reads_rightly(const MailFields& mail);

// "what: result (detail)" for people.
std::string explain(const char* what, DKIM_STAT status, DKIM* session);

// libopendkim's interface is not const-correct; it does not write through these.
inline unsigned char* unconst(const char* text) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(text));
}

}  // namespace dkim
