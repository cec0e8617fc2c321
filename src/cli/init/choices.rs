//! The lists to pick from. Every entry is printed in letters as it stands here.

/// Treatments. Esketamine is named with its certified setting, and ketamine for depression as off-label, because letters
/// about them are advertisements.
pub const SERVICES: [&str; 9] = [
    "transcranial magnetic stimulation (TMS)",
    "accelerated TMS",
    "esketamine (Spravato) in a certified setting",
    "IV ketamine for treatment-resistant depression (off-label)",
    "electroconvulsive therapy (ECT)",
    "vagus nerve stimulation (VNS) for depression",
    "medication management",
    "psychotherapy",
    "second-opinion visits with a written answer to you",
];

/// Conditions.
pub const CONDITIONS: [&str; 9] = [
    "major depressive disorder",
    "treatment-resistant depression",
    "depression with anxiety",
    "obsessive-compulsive disorder (OCD)",
    "bipolar depression",
    "postpartum depression",
    "post-traumatic stress disorder (PTSD)",
    "generalized anxiety disorder",
    "depression in adolescents",
];

/// Insurers with members in most states.
pub const INSURERS: [&str; 9] = [
    "Medicare Part B",
    "Medicaid",
    "Blue Cross Blue Shield",
    "Aetna",
    "Cigna",
    "UnitedHealthcare / Optum",
    "Humana",
    "TRICARE",
    "VA Community Care",
];

/// Opening hours.
pub const HOURS: [&str; 3] = [
    "Monday to Friday, 8:00 am to 5:00 pm",
    "Monday to Friday, 9:00 am to 5:00 pm",
    "Monday to Thursday, 8:00 am to 5:00 pm; Friday, 8:00 am to noon",
];

/// How soon a referral is answered: "We call the patient within …".
pub const RESPONSE_TIMES: [&str; 4] = ["one business day", "two business days", "three business days", "one week"];
