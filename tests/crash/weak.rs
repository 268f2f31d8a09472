//! A control: the same program whose databases wait for no disk at their commits (`synchronous=NORMAL`).
//!
//! The vault asks for FULL at each opening. Here every connection is made weak first, and then deaf to that word; nothing of
//! the program itself knows of it.

use rusqlite::ffi;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;

/// For every database that this process opens from now on.
pub fn wait_for_no_disk() {
    // SAFETY: the function has the shape that SQLite documents for automatic extensions, which it calls as such.
    let code = unsafe { ffi::sqlite3_auto_extension(Some(weaken)) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite takes an automatic extension");
}

unsafe extern "C" fn weaken(
    database: *mut ffi::sqlite3,
    _error: *mut *mut c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    let (none, no_row) = (std::ptr::null_mut(), None);
    // SAFETY: the connection is SQLite's own and open; the text ends in zero; nothing is asked back.
    unsafe {
        let code =
            ffi::sqlite3_exec(database, c"PRAGMA synchronous = NORMAL".as_ptr(), no_row, none, std::ptr::null_mut());
        if code != ffi::SQLITE_OK {
            return code;
        }
        ffi::sqlite3_set_authorizer(database, Some(deaf), std::ptr::null_mut())
    }
}

unsafe extern "C" fn deaf(
    _nothing: *mut c_void,
    action: c_int,
    name: *const c_char,
    _value: *const c_char,
    _database: *const c_char,
    _inner: *const c_char,
) -> c_int {
    // SAFETY: for a pragma SQLite gives its name, a text that ends in zero.
    let is_it = action == ffi::SQLITE_PRAGMA && !name.is_null() && unsafe { CStr::from_ptr(name) } == c"synchronous";
    if is_it { ffi::SQLITE_IGNORE } else { ffi::SQLITE_OK }
}
