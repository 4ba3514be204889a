//! Plausible words: titles, names, companies, places. Nobody and nothing real is meant.

/// Titles of events; the third holds what JSON must escape, the fourth what UTF-16 needs two units for.
pub(crate) const TITLES: [&str; 6] = [
    "新品线上发布会",
    "客户成功案例分享",
    "“云”上增长：\"从0到1\"",
    "年度渠道大会🎉",
    "数据安全合规培训",
    "行业趋势\\洞察直播",
];

/// Hosts: id and name. The first is the sample's.
pub(crate) const HOSTS: [(u64, &str); 3] =
    [(88_589_655, "用户6"), (88_589_701, "周敏"), (88_590_012, "市场部直播间")];

/// Surnames.
pub(crate) const SURNAMES: [&str; 10] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "欧阳"];

/// Given names.
pub(crate) const GIVEN_NAMES: [&str; 12] =
    ["伟", "芳", "秀英", "敏", "静", "强", "磊", "洋", "艳", "思远", "雨桐", "浩然"];

/// Names that people chose themselves, with all that JSON must escape.
pub(crate) const NICKNAMES: [&str; 5] =
    ["小明😀", "\"老板\"本人", "A\\B测试", "第一行\n第二行", "𠮷野家粉丝"];

/// Companies.
pub(crate) const COMPANIES: [&str; 6] = [
    "西安云帆科技有限公司",
    "北京启明数据服务有限公司",
    "上海\"申\"机电集团",
    "深圳市海纳电子有限公司",
    "成都蜀汉医药股份有限公司",
    "Acme (中国) Co., Ltd.",
];

/// Provinces and cities.
pub(crate) const PLACES: [(&str, &str); 8] = [
    ("陕西", "西安"),
    ("北京", "北京"),
    ("上海", "上海"),
    ("广东", "深圳"),
    ("四川", "成都"),
    ("浙江", "杭州"),
    ("湖北", "武汉"),
    ("内蒙古", "呼和浩特"),
];
