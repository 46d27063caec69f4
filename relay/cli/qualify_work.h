// The work of `penstock qualify`, one function for each of its commands.
#pragma once

#include <string>

namespace relay::cli {

struct QualifyOptions {
  std::string config;  // where the files are when no table is named
  std::string table, rules, shipped;
  std::string ledger, socket;  // of the past that changes are to reach
  std::string row, file;
  std::string status, reason, type, scope;
  std::string host, domain, source, stage;  // where a reply that is explained was met
  unsigned limit = 50;
  bool apply = false;
};

// Each returns the exit status; answers go to stdout, what is wrong to stderr.
int qualify_list(const QualifyOptions& options);
int qualify_show(const QualifyOptions& options);
int qualify_explain(const QualifyOptions& options);
int qualify_test(const QualifyOptions& options);
int qualify_export(const QualifyOptions& options);
int qualify_set(const QualifyOptions& options);
int qualify_reset(const QualifyOptions& options);
int qualify_import(const QualifyOptions& options);
int qualify_learn(const QualifyOptions& options);
int qualify_refresh(const QualifyOptions& options);
int qualify_relabel(const QualifyOptions& options);
int qualify_undo(const QualifyOptions& options);
int qualify_history(const QualifyOptions& options);

}  // namespace relay::cli
