#include "cli/report/report.h"
#include "formats/file.h"
namespace graft::cli {
void write_report(const nlohmann::json& data, const std::string& path) { formats::write_text(path, data.dump()); }
}  // namespace graft::cli
