#include "relay/spool/rocks_aside.h"

#include <rocksdb/options.h>

#include <filesystem>
#include <fstream>

#include "relay/spool/record.h"

namespace relay::spool {

bool copy_aside(rocksdb::DB* db,
                const std::vector<std::pair<rocksdb::ColumnFamilyHandle*, std::string>>& tables_and_endings,
                const std::string& path, conf::MessageId id) {
  const std::filesystem::path folder = std::filesystem::path(path) / "set-aside";
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const std::string key = id_key(id);
  bool copied = true;
  for (const auto& [handle, ending] : tables_and_endings) {
    std::string value;
    rocksdb::ReadOptions options;
    options.verify_checksums = false;
    const rocksdb::Status read = db->Get(options, handle, key, &value);
    copied = copied && (read.ok() || read.IsNotFound());
    if (!read.ok()) continue;
    std::ofstream file(folder / (conf::to_text(id) + ending), std::ios::binary);
    file.write(value.data(), static_cast<std::streamsize>(value.size()));
    file.close();
    copied = copied && file.good();
  }
  return copied;
}

}  // namespace relay::spool
