// Files that are there after a power cut: a start that mends the spool must not let go of what it has before
// what takes its place is on disk. Any thread; waits for the disk.
#pragma once

#include <filesystem>
#include <string_view>
#include <system_error>

namespace relay::spool {

// What is in the file is on disk; of a folder, its names.
std::error_code sync_to_disk(const std::filesystem::path& path);
// In place of what is there. The name lasts once its folder is synced.
std::error_code copy_to_disk(const std::filesystem::path& from, const std::filesystem::path& to);
std::error_code write_to_disk(const std::filesystem::path& to, std::string_view content);

}  // namespace relay::spool
