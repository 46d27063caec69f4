#include "dkim/signature.h"

#include <algorithm>

#include "conf/vocab/ascii.h"
#include "dkim/canonical.h"

namespace dkim {

namespace {

constexpr size_t kLine = 78;        // RFC 5322 §2.1.1: should
constexpr size_t kLongest = 998;    // RFC 5322 §2.1.1: must
constexpr size_t kOtherTags = 300;  // what besides h= may stand in its line when nothing may be folded

const char* to_text(conf::Canonicalization how) {
  return how == conf::Canonicalization::kSimple ? "simple" : "relaxed";
}

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(
      names, [name](const std::string& each) { return conf::equal_ignoring_case(each, name); });
}

}  // namespace

conf::Result<std::vector<std::string>> names_to_sign(const MailFields& mail,
                                                     const std::vector<std::string>& headers,
                                                     const std::vector<std::string>& oversign) {
  std::vector<std::string> names;
  size_t length = 0;
  for (const Field& field : mail.fields) {
    if (has_name(headers, field.name) || has_name(oversign, field.name)) names.emplace_back(field.name);
  }
  names.insert(names.end(), oversign.begin(), oversign.end());
  for (const std::string& name : names) length += name.size() + 1;
  if (length + kOtherTags > kLongest) {
    return conf::Error{conf::ErrorCode::kLimit, "the message has too many fields that are to be signed (" +
                                                    std::to_string(names.size()) + ")"};
  }
  return names;
}

std::string unsigned_field(const SignatureTags& tags) {
  std::string out = "DKIM-Signature: v=1; a=";
  out.append(to_text(tags.algorithm)).append("; c=").append(to_text(tags.header));
  out.append("/").append(to_text(tags.body)).append("; d=").append(tags.domain);
  out.append("; s=").append(tags.selector);
  out.append("; t=").append(std::to_string(tags.signed_at));
  if (tags.expires_at >= 0) out.append("; x=").append(std::to_string(tags.expires_at));
  if (!tags.identity.empty()) out.append("; i=").append(tags.identity);
  out.append("; bh=").append(tags.body_hash).append("; h=");
  for (size_t i = 0; i < tags.names.size(); ++i) out.append(i == 0 ? "" : ":").append(tags.names[i]);
  out.append("; b=");
  return out;
}

std::string signed_data(const MailFields& mail, const std::vector<std::string>& names,
                        conf::Canonicalization how, std::string_view field) {
  std::string out;
  out.reserve(2048);
  std::vector<bool> taken(mail.fields.size(), false);
  for (const std::string& name : names) {
    for (size_t i = mail.fields.size(); i-- > 0;) {
      if (taken[i] || !conf::equal_ignoring_case(mail.fields[i].name, name)) continue;
      taken[i] = true;
      append_canonical_field(mail.fields[i].whole, how, &out);
      break;
    }
  }
  append_canonical_field(field, how, &out);
  out.resize(out.size() - 2);
  return out;
}

std::string fold(std::string_view field, std::string_view signature, conf::Canonicalization how) {
  std::string out;
  out.reserve(field.size() + signature.size() + 64);
  size_t column = 0;
  while (!field.empty()) {
    const size_t space = field.find("; ");
    const std::string_view tag = field.substr(0, space == std::string_view::npos ? field.size() : space + 1);
    const bool first = out.empty();
    if (!first && how == conf::Canonicalization::kRelaxed && column + 1 + tag.size() > kLine) {
      out += "\r\n\t";
      column = 1;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += tag;
    column += tag.size();
    field.remove_prefix(space == std::string_view::npos ? field.size() : space + 2);
  }
  while (!signature.empty()) {
    if (column + 1 >= kLine) {
      out += "\r\n\t";
      column = 1;
    }
    const size_t piece = std::min(kLine - column, signature.size());
    out += signature.substr(0, piece);
    column += piece;
    signature.remove_prefix(piece);
  }
  out += "\r\n";
  return out;
}

}  // namespace dkim
