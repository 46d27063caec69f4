#include "relay/spool/rocks_batch.h"

#include <rocksdb/slice.h>

#include <string>

#include "relay/spool/record.h"
#include "relay/spool/rocks_states.h"

namespace relay::spool {

void reuse(rocksdb::WriteBatch* batch) {
  constexpr size_t kMostKept = 16 << 20;
  if (batch->Data().capacity() > kMostKept) *batch = rocksdb::WriteBatch();
  batch->Clear();
}

BatchCounts fill_batch(const std::vector<WriteRequest>& requests, rocksdb::DB* db, const RocksTables& tables,
                       rocksdb::WriteBatch* batch) {
  BatchCounts counts;
  StateBatch states(db, tables.states, batch);
  for (const WriteRequest& request : requests) {
    const std::string key = id_key(request.id);
    switch (request.kind) {
      case WriteKind::kStore: {
        batch->Put(tables.records, key, request.record);
        const BodyHeader header = body_header(request.id, request.body.view());
        const rocksdb::Slice key_part(key);
        const rocksdb::Slice parts[] = {{header.data(), header.size()},
                                        {request.body.view().data(), request.body.size()}};
        batch->Put(tables.bodies, rocksdb::SliceParts(&key_part, 1), rocksdb::SliceParts(parts, 2));
        ++counts.stored;
        break;
      }
      case WriteKind::kUpdate:
        states.put(request.id, request.part, request.record);
        ++counts.updated;
        break;
      case WriteKind::kRemove:
        batch->Delete(tables.records, key);
        batch->SingleDelete(tables.bodies, key);  // it was put once
        states.remove(request.id);
        ++counts.removed;
        break;
      case WriteKind::kKeep:
        for (const auto& [name, value] : request.values) {
          value.empty() ? batch->Delete(tables.values, name) : batch->Put(tables.values, name, value);
        }
        counts.kept += request.values.size();
        break;
    }
  }
  return counts;
}

}  // namespace relay::spool
