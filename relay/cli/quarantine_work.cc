// Looking at the ledger.
#include "relay/cli/quarantine_work.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "bounce/reason.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/envelope.h"
#include "relay/cli/cli.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/time_words.h"

namespace relay::cli {

namespace {

using bounce::AddressRow;
using nlohmann::json;

const char* reason_text(uint8_t reason) { return bounce::to_text(static_cast<bounce::Reason>(reason)); }

std::string message_text(uint64_t message) { return message == 0 ? "-" : conf::to_text(message); }

std::string list_text(const std::string& list) { return list.empty() ? "everybody's" : printable(list); }

json row_json(const AddressRow& row) {
  return {{"address", row.address},
          {"list", row.list},
          {"status", to_text(row.state.status)},
          {"reason", reason_text(row.state.reason)},
          {"errors", row.state.errors},
          {"since", moment_text(row.state.changed)},
          {"last_error", moment_text(row.state.last_error)},
          {"text", row.text},
          {"rule", row.rule},
          {"site", row.site},
          {"mx_host", row.mx_host},
          {"message", message_text(row.message)},
          {"by", row.by}};
}

json history_json(const bounce::HistoryLine& line) {
  return {{"number", line.sequence},
          {"batch", line.batch},
          {"time", moment_text(line.at)},
          {"address", line.address},
          {"list", line.list},
          {"from", to_text(line.before)},
          {"to", to_text(line.after)},
          {"reason", reason_text(line.reason)},
          {"text", line.text},
          {"rule", line.rule},
          {"site", line.site},
          {"message", message_text(line.message)},
          {"by", line.by}};
}

void print_history_line(const bounce::HistoryLine& line, bool with_address) {
  const std::string batch = line.batch == 0 ? "" : " in batch " + std::to_string(line.batch);
  std::printf("  %s  %s%s%s -> %s (%s) by %s%s: %s\n", moment_text(line.at).c_str(),
              with_address ? (line.address + "  ").c_str() : "", to_text(line.before),
              line.before == line.after ? " again" : "", to_text(line.after), reason_text(line.reason),
              printable(line.by).c_str(), batch.c_str(), printable(line.text).c_str());
}

std::string leaves(const AddressRow& row, const conf::QuarantineSettings& settings) {
  const conf::WallTime at = bounce::clears_at(row.state, settings);
  if (at != conf::WallTime::max()) return moment_text(at) + ", or with a delivery while mail goes";
  return "only by an operator: penstock quarantine remove " + row.address;
}

void print_row(const AddressRow& row, const conf::QuarantineSettings& settings) {
  const bool barred = bounce::is_barred(row.state.status);
  std::printf("%s is %s since %s UTC; %s\n", row.address.c_str(), to_text(row.state.status),
              moment_text(row.state.changed).c_str(), barred ? "nothing is sent there" : "mail goes");
  std::printf("  list        %s\n", list_text(row.list).c_str());
  std::printf("  reason      %s (%s)\n", reason_text(row.state.reason),
              bounce::label(static_cast<bounce::Reason>(row.state.reason)));
  std::printf("  text        %s\n", row.text.empty() ? "-" : printable(row.text).c_str());
  std::printf("  rule        %s\n", row.rule.empty() ? "-" : printable(row.rule).c_str());
  std::printf("  site        %s, told by %s\n", row.site.empty() ? "-" : printable(row.site).c_str(),
              row.mx_host.empty() ? "-" : printable(row.mx_host).c_str());
  std::printf("  message     %s\n", message_text(row.message).c_str());
  std::printf("  errors      %u counted, the last at %s\n", row.state.errors,
              moment_text(row.state.last_error).c_str());
  std::printf("  set by      %s\n", printable(row.by).c_str());
  if (row.state.status != bounce::AddressStatus::kAllowlisted)
    std::printf("  it leaves   %s\n", leaves(row, settings).c_str());
}

}  // namespace

bool read_status(const std::string& text, std::optional<bounce::AddressStatus>* out) {
  if (text.empty()) return true;
  bounce::AddressStatus status{};
  if (bounce::parse_status(conf::ascii_lower(text), &status)) {
    *out = status;
    return true;
  }
  std::fprintf(stderr,
               "penstock: \"%s\" is no status: valid, with-errors, quarantine, denylisted or allowlisted\n",
               text.c_str());
  return false;
}

bool read_reason(const std::string& text, std::optional<uint8_t>* out) {
  if (text.empty()) return true;
  if (const std::optional<bounce::Reason> reason = bounce::parse_reason(text)) {
    *out = static_cast<uint8_t>(*reason);
    return true;
  }
  std::string all;
  for (const bounce::Reason reason : bounce::all_reasons())
    all += std::string(all.empty() ? "" : ", ") + bounce::to_text(reason);
  std::fprintf(stderr, "penstock: \"%s\" is no reason: %s\n", text.c_str(), all.c_str());
  return false;
}

std::optional<bounce::AddressFilter> filter_of(const QuarantineOptions& options, conf::WallTime now) {
  bounce::AddressFilter filter;
  if (!read_status(options.status, &filter.status) || !read_reason(options.reason, &filter.reason))
    return std::nullopt;
  for (const auto& [text, out] :
       {std::pair(&options.since, &filter.since), {&options.until, &filter.until}}) {
    const conf::Result<conf::WallTime> at = parse_moment(*text, now, *out);
    if (!at.ok()) {
      failed(at.error());
      return std::nullopt;
    }
    *out = at.value();
  }
  filter.list = options.list;
  filter.domain = options.domain;
  filter.site = options.site;
  filter.text = options.text;
  filter.rule = options.rule;
  return filter;
}

std::string row_line(const AddressRow& row) {
  std::string out = moment_text(row.state.changed) + "  ";
  out += std::string(to_text(row.state.status)) + "  ";
  out += std::string(reason_text(row.state.reason)) + "  " + printable(row.address);
  if (!row.list.empty()) out += "  [" + printable(row.list) + "]";
  return out + "  " + printable(row.text);
}

int quarantine_list(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  const std::optional<bounce::AddressFilter> filter = filter_of(options, open->now);
  if (!filter) return kUsage;
  bounce::LedgerDesk desk = open->desk();
  const conf::Result<uint64_t> count = desk.count(*filter);
  if (!count.ok()) return failed(count.error());
  json rows = json::array();
  uint64_t left = options.limit;
  const conf::Status status = desk.each(*filter, [&](const AddressRow& row) {
    if (left-- == 0) return false;
    if (options.as_json) {
      rows.push_back(row_json(row));
    } else {
      std::puts(row_line(row).c_str());
    }
    return true;
  });
  if (!status.ok()) return failed(status.error());
  if (options.as_json) {
    print_json({{"count", count.value()}, {"addresses", std::move(rows)}});
  } else {
    std::printf("%llu addresses%s\n", static_cast<unsigned long long>(count.value()),
                count.value() > options.limit ? "; --limit shows more of them" : "");
  }
  return kDone;
}

int quarantine_show(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  bounce::LedgerDesk desk = open->desk();
  const conf::Result<std::string> address = desk.spelled(options.addresses.front());
  if (!address.ok()) return failed(address.error());
  bounce::AddressFilter filter;
  filter.address = address.value();
  std::vector<AddressRow> rows;
  const conf::Status status = desk.each(filter, [&rows](const AddressRow& row) {
    rows.push_back(row);
    return true;
  });
  if (!status.ok()) return failed(status.error());
  auto lines = desk.history(address.value(), 0, 20);
  if (!lines.ok()) return failed(lines.error());
  auto held = desk.held_of(address.value());
  if (!held.ok()) return failed(held.error());
  if (options.as_json) {
    json shown = {{"address", address.value()},
                  {"rows", json::array()},
                  {"history", json::array()},
                  {"held", json::array()}};
    for (const AddressRow& row : rows) shown["rows"].push_back(row_json(row));
    for (const bounce::HistoryLine& line : lines.value()) shown["history"].push_back(history_json(line));
    for (const bounce::HeldError& error : held.value())
      shown["held"].push_back({{"wave", error.wave}, {"time", moment_text(error.at)}, {"text", error.text}});
    print_json(shown);
    return kDone;
  }
  for (const AddressRow& row : rows) print_row(row, open->settings);
  if (rows.empty()) std::printf("%s is in no list: mail goes\n", address.value().c_str());
  for (const bounce::HeldError& error : held.value())
    std::printf("  held back by wave %llu of the outage guard at %s: %s\n",
                static_cast<unsigned long long>(error.wave), moment_text(error.at).c_str(),
                printable(error.text).c_str());
  if (!lines->empty()) std::printf("history, newest first (UTC):\n");
  for (const bounce::HistoryLine& line : lines.value()) print_history_line(line, false);
  return kDone;
}

int quarantine_history(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  bounce::LedgerDesk desk = open->desk();
  std::string address;
  if (!options.addresses.empty()) {
    conf::Result<std::string> spelled = desk.spelled(options.addresses.front());
    if (!spelled.ok()) return failed(spelled.error());
    address = std::move(spelled).value();
  }
  auto lines = desk.history(address, options.batch, options.limit);
  if (!lines.ok()) return failed(lines.error());
  if (options.as_json) {
    json shown = json::array();
    for (const bounce::HistoryLine& line : lines.value()) shown.push_back(history_json(line));
    print_json({{"history", std::move(shown)}});
    return kDone;
  }
  for (const bounce::HistoryLine& line : lines.value()) print_history_line(line, true);
  return kDone;
}

int quarantine_export(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  const std::optional<bounce::AddressFilter> filter = filter_of(options, open->now);
  if (!filter) return kUsage;
  std::string out = bounce::LedgerDesk::export_header();
  bool written = true;
  const auto flush = [&out, &written] {
    written = std::fwrite(out.data(), 1, out.size(), stdout) == out.size();
    out.clear();
  };
  const conf::Status status = open->desk().each(*filter, [&](const AddressRow& row) {
    bounce::LedgerDesk::append_row(row, &out);
    if (out.size() > 65'536) flush();
    return written;
  });
  flush();
  if (!status.ok()) return failed(status.error());
  if (!written || std::fflush(stdout) != 0)
    return failed({conf::ErrorCode::kIo, "the list could not be written as a whole"});
  return kDone;
}

}  // namespace relay::cli
