#include "bounce/ledger/ledger.h"

#include <filesystem>

namespace bounce {

std::string ledger_path(const conf::QuarantineSettings& settings, const std::string& spool) {
  if (!settings.path.empty()) return settings.path;
  return (std::filesystem::path(spool + "/").parent_path().parent_path() / "ledger" / "ledger.db").string();
}

std::optional<AddressRow> row_after(const AddressRow* before, const AddressSignal& signal,
                                    const conf::QuarantineSettings& settings) {
  if (before == nullptr && signal.event.kind == AddressEventKind::kDelivered) return std::nullopt;
  const AddressStep step = after(before == nullptr ? AddressState() : before->state, signal.event, settings);
  if (step.change == AddressChange::kNone) return std::nullopt;
  AddressRow row;
  row.list = signal.list;
  row.address = signal.address;
  row.state = step.state;
  row.text = signal.text;
  row.rule = signal.rule;
  row.site = signal.site;
  row.mx_host = signal.mx_host;
  row.message = signal.message;
  row.by = before != nullptr && step.state.status == AddressStatus::kAllowlisted ? before->by : "automatic";
  return row;
}

}  // namespace bounce
