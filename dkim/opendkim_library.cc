#include "dkim/opendkim_library.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "conf/vocab/check.h"

namespace dkim {

namespace {

void set_option(DKIM_LIB* handle, dkim_opts_t option, void* value, size_t size) {
  CHECK(dkim_options(handle, DKIM_OP_SETOPT, option, value, size) == DKIM_STAT_OK);
}

void set_names(DKIM_LIB* handle, dkim_opts_t option, const std::vector<std::string>& names) {
  std::vector<const char*> list;
  list.reserve(names.size() + 1);
  for (const std::string& name : names) list.push_back(name.c_str());
  list.push_back(nullptr);
  set_option(handle, option, list.data(), sizeof(const char**));
}

}  // namespace

OpendkimLibrary::OpendkimLibrary() : handle_(dkim_init(nullptr, nullptr)) { CHECK(handle_ != nullptr); }

OpendkimLibrary::~OpendkimLibrary() { dkim_close(handle_); }

void OpendkimLibrary::sign_fields(const conf::DkimOptions& options) {
  std::vector<std::string> names = options.headers;
  names.insert(names.end(), options.oversign.begin(), options.oversign.end());
  set_names(handle_, DKIM_OPTS_SIGNHDRS, names);
  set_names(handle_, DKIM_OPTS_OVERSIGNHDRS, options.oversign);
  uint64_t seconds =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(options.expire).count());
  if (seconds > 0) set_option(handle_, DKIM_OPTS_SIGNATURETTL, &seconds, sizeof seconds);
}

void OpendkimLibrary::fix_time(conf::WallTime time) {
  uint64_t seconds = static_cast<uint64_t>(conf::unix_micros(time) / 1'000'000);
  set_option(handle_, DKIM_OPTS_FIXEDTIME, &seconds, sizeof seconds);
}

bool reads_rightly(const MailFields& mail) {
  return std::ranges::none_of(mail.fields, [](const Field& field) {
    const bool odd_name = std::ranges::any_of(field.name, [](char c) { return c < ' ' || c > '~'; });
    return odd_name || field.whole.find_first_of(std::string_view("\v\f\0", 3)) != std::string_view::npos ||
           field.whole.substr(0, field.whole.find(':')).find('\t') != std::string_view::npos;
  });
}

std::string explain(const char* what, DKIM_STAT status, DKIM* session) {
  std::string text = what;
  const char* const result = dkim_getresultstr(status);
  text.append(": ").append(result == nullptr ? "unknown result" : result);
  const char* const detail = session == nullptr ? nullptr : dkim_geterror(session);
  if (detail != nullptr && *detail != '\0') text.append(" (").append(detail).append(")");
  return text;
}

}  // namespace dkim
