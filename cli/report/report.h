// stub until the report page comes
#pragma once
#include <nlohmann/json.hpp>
#include <string>
namespace graft::cli {
void write_report(const nlohmann::json& data, const std::string& path);
}
