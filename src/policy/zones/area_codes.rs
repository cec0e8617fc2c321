//! The zones of North America's area codes.
//!
//! Area codes by place: the assignments that the North American Numbering Plan Administrator publishes (nanpa.com), as of
//! 2026. Zones by place: 49 CFR part 71 for the United States, the IANA time zone database for the rest. A code whose area
//! lies in two zones has both, since nothing in the number says in which of them its owner is. Codes without an area (toll-free
//! 8xx, personal 5xx, 600, 700, 710, 900) are absent, and so is whatever was assigned later.

use chrono_tz::Tz;

/// Area codes that share their zones.
#[rustfmt::skip]
pub(super) const AREAS: &[(&[u16], &[Tz])] = &[
    // Connecticut, Delaware, District of Columbia, Georgia, Maine, Maryland, Massachusetts.
    (&[
        202, 203, 207, 227, 229, 240, 301, 302, 339, 351, 404, 410, 413, 443, 470, 475, 478, 508, 617, 667, 678, 706,
        762, 770, 771, 774, 781, 857, 860, 912, 943, 959, 978,
    ], &[Tz::America__New_York]),
    // New Hampshire, New Jersey, New York, North Carolina.
    (&[
        201, 212, 252, 315, 329, 332, 336, 347, 363, 465, 472, 516, 518, 551, 585, 603, 607, 609, 624, 631, 640, 646,
        680, 704, 716, 718, 732, 743, 828, 838, 845, 848, 856, 862, 908, 910, 914, 917, 919, 929, 934, 973, 980, 984,
    ], &[Tz::America__New_York]),
    // Ohio, Pennsylvania, Rhode Island, South Carolina.
    (&[
        215, 216, 220, 223, 234, 267, 272, 283, 326, 330, 380, 401, 412, 419, 436, 440, 445, 484, 513, 567, 570, 582,
        610, 614, 717, 724, 740, 803, 814, 821, 835, 839, 843, 854, 864, 878, 937,
    ], &[Tz::America__New_York]),
    // Vermont, Virginia, West Virginia.
    (&[276, 304, 434, 540, 571, 681, 686, 703, 757, 802, 804, 826, 948], &[Tz::America__New_York]),
    // Florida but for the Panhandle.
    (&[
        239, 305, 321, 324, 352, 386, 407, 561, 645, 656, 689, 727, 728, 754, 772, 786, 813, 863, 904, 941, 954,
    ], &[Tz::America__New_York]),
    // Indiana: Indianapolis, Fort Wayne, Lafayette; Kentucky: Louisville, Lexington; Tennessee: Knoxville.
    (&[260, 317, 463, 502, 765, 859, 865], &[Tz::America__New_York]),
    // Michigan but for the Upper Peninsula.
    (&[231, 248, 269, 313, 517, 586, 616, 679, 734, 810, 947, 989], &[Tz::America__New_York]),
    // Florida's Panhandle; Indiana's northwest, north and south; western and southern Kentucky; Michigan's Upper
    // Peninsula; eastern Tennessee.
    (&[219, 270, 364, 423, 448, 574, 606, 729, 812, 850, 906, 930], &[Tz::America__New_York, Tz::America__Chicago]),
    // Alabama, Arkansas, Illinois, Iowa.
    (&[
        205, 217, 224, 251, 256, 309, 312, 319, 327, 331, 334, 447, 464, 479, 501, 515, 563, 618, 630, 641, 659, 708,
        712, 730, 773, 779, 815, 847, 861, 870, 872, 938,
    ], &[Tz::America__Chicago]),
    // Louisiana, Minnesota, Mississippi, Missouri.
    (&[
        218, 225, 228, 235, 314, 318, 320, 337, 417, 457, 471, 504, 507, 557, 573, 601, 612, 636, 651, 660, 662, 763,
        769, 816, 924, 952, 975, 985,
    ], &[Tz::America__Chicago]),
    // Oklahoma, Wisconsin; Kansas: Wichita, Kansas City; Nebraska: Omaha, Lincoln; Tennessee: Nashville, Memphis.
    (&[
        262, 274, 316, 353, 402, 405, 414, 531, 534, 539, 572, 580, 608, 615, 629, 715, 731, 901, 913, 918, 920, 931,
    ], &[Tz::America__Chicago]),
    // Texas but for El Paso.
    (&[
        210, 214, 254, 281, 325, 346, 361, 409, 430, 432, 469, 512, 621, 682, 713, 726, 737, 806, 817, 830, 832, 903,
        936, 940, 945, 956, 972, 979,
    ], &[Tz::America__Chicago]),
    // Western Kansas, western Nebraska, North Dakota, South Dakota.
    (&[308, 605, 620, 701, 785], &[Tz::America__Chicago, Tz::America__Denver]),
    // Colorado, Montana, New Mexico, Utah, Wyoming; Texas: El Paso.
    (&[303, 307, 385, 406, 435, 505, 575, 719, 720, 748, 801, 915, 970, 983], &[Tz::America__Denver]),
    // Arizona.
    (&[480, 520, 602, 623], &[Tz::America__Phoenix]),
    // Northern Arizona, where the Navajo Nation keeps summer time.
    (&[928], &[Tz::America__Phoenix, Tz::America__Denver]),
    // Idaho; eastern Oregon with Malheur County; Nevada with West Wendover.
    (&[208, 458, 541, 775, 986], &[Tz::America__Los_Angeles, Tz::America__Denver]),
    // California.
    (&[
        209, 213, 279, 310, 323, 341, 350, 357, 369, 408, 415, 424, 442, 510, 530, 559, 562, 619, 626, 628, 650, 657,
        661, 669, 707, 714, 738, 747, 760, 805, 818, 820, 831, 837, 840, 858, 909, 916, 925, 949, 951,
    ], &[Tz::America__Los_Angeles]),
    // Nevada: Las Vegas; Oregon: Portland, Salem; Washington.
    (&[206, 253, 360, 425, 503, 509, 564, 702, 725, 971], &[Tz::America__Los_Angeles]),
    // Alaska, with the western Aleutians.
    (&[907], &[Tz::America__Anchorage, Tz::America__Adak]),
    // Hawaii.
    (&[808], &[Tz::Pacific__Honolulu]),
    // Puerto Rico.
    (&[787, 939], &[Tz::America__Puerto_Rico]),
    // United States Virgin Islands.
    (&[340], &[Tz::America__St_Thomas]),
    // Guam.
    (&[671], &[Tz::Pacific__Guam]),
    // Northern Mariana Islands.
    (&[670], &[Tz::Pacific__Saipan]),
    // American Samoa.
    (&[684], &[Tz::Pacific__Pago_Pago]),
    // Ontario but for its northwest; Quebec: Montreal, the southwest and the north.
    (&[
        226, 249, 263, 289, 343, 354, 365, 382, 416, 437, 438, 450, 468, 514, 519, 548, 579, 613, 647, 683, 705, 742,
        753, 819, 873, 905, 942,
    ], &[Tz::America__Toronto]),
    // Ontario's northwest.
    (&[807], &[Tz::America__Toronto, Tz::America__Winnipeg, Tz::America__Atikokan]),
    // Quebec's east with the Magdalen Islands and the Lower North Shore.
    (&[367, 418, 581], &[Tz::America__Toronto, Tz::America__Halifax, Tz::America__BlancSablon]),
    // New Brunswick, Nova Scotia, Prince Edward Island.
    (&[428, 506, 782, 902], &[Tz::America__Halifax]),
    // Newfoundland and Labrador.
    (&[709, 879], &[Tz::America__St_Johns, Tz::America__Goose_Bay]),
    // Manitoba.
    (&[204, 431, 584], &[Tz::America__Winnipeg]),
    // Saskatchewan with Lloydminster.
    (&[306, 474, 639], &[Tz::America__Regina, Tz::America__Edmonton]),
    // Alberta.
    (&[368, 403, 587, 780, 825], &[Tz::America__Edmonton]),
    // British Columbia: Vancouver.
    (&[604], &[Tz::America__Vancouver]),
    // British Columbia with its northeast and southeast.
    (&[236, 250, 257, 672, 778], &[Tz::America__Vancouver, Tz::America__Edmonton, Tz::America__Dawson_Creek]),
    // Yukon, Northwest Territories, Nunavut.
    (&[
        867,
    ], &[Tz::America__Whitehorse, Tz::America__Edmonton, Tz::America__Winnipeg, Tz::America__Atikokan, Tz::America__Toronto]),
    // Bahamas.
    (&[242], &[Tz::America__Nassau]),
    // Barbados.
    (&[246], &[Tz::America__Barbados]),
    // Anguilla.
    (&[264], &[Tz::America__Anguilla]),
    // Antigua and Barbuda.
    (&[268], &[Tz::America__Antigua]),
    // British Virgin Islands.
    (&[284], &[Tz::America__Tortola]),
    // Cayman Islands.
    (&[345], &[Tz::America__Cayman]),
    // Bermuda.
    (&[441], &[Tz::Atlantic__Bermuda]),
    // Grenada.
    (&[473], &[Tz::America__Grenada]),
    // Turks and Caicos Islands.
    (&[649], &[Tz::America__Grand_Turk]),
    // Jamaica.
    (&[658, 876], &[Tz::America__Jamaica]),
    // Montserrat.
    (&[664], &[Tz::America__Montserrat]),
    // Sint Maarten.
    (&[721], &[Tz::America__Lower_Princes]),
    // Saint Lucia.
    (&[758], &[Tz::America__St_Lucia]),
    // Dominica.
    (&[767], &[Tz::America__Dominica]),
    // Saint Vincent and the Grenadines.
    (&[784], &[Tz::America__St_Vincent]),
    // Dominican Republic.
    (&[809, 829, 849], &[Tz::America__Santo_Domingo]),
    // Trinidad and Tobago.
    (&[868], &[Tz::America__Port_of_Spain]),
    // Saint Kitts and Nevis.
    (&[869], &[Tz::America__St_Kitts]),
];
