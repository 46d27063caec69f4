// Saves what stands in tables that RocksDB cannot read any more, and finds out which messages are missing.
// Only the spool uses this, after begin_rebuild(), on the thread that opens it.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/spool/rocks_database.h"

namespace relay::spool {

// Whether the two ends of a file of bodies are whole, without which RocksDB reads none of them.
bool good_ends_of_bodies(const std::string& file);

class Salvage {
 public:
  // Looks through all tables in `kept`, the old db/.
  static Salvage look_through(const std::string& kept);
  // Those that cannot be opened, for people: the rest goes on, or the next start would not know of it.
  const std::vector<std::string>& unread() const { return unread_; }

  // Puts back what stands in them and was neither written anew nor removed later. Before the logs are carried
  // out again.
  conf::Status put_back(rocksdb::DB* db, const RocksTables& tables);

  // Messages that have a body and no record, and were not removed, as far as the tables tell; `removed` are
  // those that the logs removed. After all else.
  std::vector<conf::MessageId> missing(rocksdb::DB* db, const RocksTables& tables,
                                       const std::set<conf::MessageId>& removed) const;

 private:
  struct Newest {  // sequences; 0: none
    uint64_t body = 0;
    uint64_t removed = 0;
  };
  Salvage() = default;
  void note(const std::string& content);
  conf::Status put_back_from(const std::string& content, rocksdb::DB* db, const RocksTables& tables);

  std::vector<std::filesystem::path> files_;  // the newest first
  std::map<std::string, Newest> newest_;
  std::map<std::string, uint64_t> written_;  // sequences of what is written more than once, by its key
  std::vector<std::string> unread_;
};

}  // namespace relay::spool
