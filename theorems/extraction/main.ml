(* checker FOLDER ...    is each folder what its SHA512SUMS says? One line a folder.
   checker -             the same for the folders that standard input names, one a line.
   checker --names       for each line of standard input, a name in hex: may a record hold it?

   Exit codes: 0 intact, 1 not, 2 no such folder or bad usage, 3 could not judge.

   What is decided about texts is decided by `Verified`, extracted from theorems/Checker.v. Here is
   what that is told: the names and contents of the files, without following or opening anything
   but regular files; and their SHA-512, by Cryptokit. *)

type verdict = Intact of int * string | Not of string | Unjudged of string | Unusable of string

exception Stop of verdict

let limit = 4 * 1024 * 1024 (* bytes of a manifest; the extracted parser's stack grows with it *)
let to_text s = List.init (String.length s) (fun i -> Char.code s.[i])
let to_string t = String.of_seq (Seq.map Char.chr (List.to_seq t))
let sums = to_string Verified.sums_name
let envelope = to_string Verified.envelope_name
let is_ascii s = String.for_all (fun c -> Char.code c < 128) s

let hex hash =
  let digits = Cryptokit.Hexa.encode () in
  Cryptokit.transform_string digits hash

let hash_channel channel = hex (Cryptokit.hash_channel (Cryptokit.Hash.sha512 ()) channel)

(* Opens what is a regular file when it has been opened, whatever it was before. *)
let with_regular path work =
  let flags = Unix.[ O_RDONLY; O_NONBLOCK; O_CLOEXEC ] in
  let before = Unix.lstat path in
  let descriptor = Unix.openfile path flags 0 in
  let channel = Unix.in_channel_of_descr descriptor in
  let same a b = Unix.(a.st_kind = S_REG && a.st_dev = b.st_dev && a.st_ino = b.st_ino
                       && a.st_size = b.st_size && a.st_mtime = b.st_mtime) in
  Fun.protect ~finally:(fun () -> close_in_noerr channel) (fun () ->
      set_binary_mode_in channel true;
      let opened = Unix.fstat descriptor in
      if not (same before opened) then raise (Stop (Not (path ^ " is no plain file")));
      let result = work opened.Unix.st_size channel in
      if not (same opened (Unix.fstat descriptor)) then
        raise (Stop (Not (path ^ " changed while it was read")));
      result)

(* Names of the regular files below a folder, in no order. *)
let rec walk folder prefix found =
  let entries = Sys.readdir (Filename.concat folder prefix) in
  Array.fold_left (fun found entry ->
      let name = prefix ^ entry in
      if not (is_ascii name) then
        raise (Stop (Unjudged (String.escaped name ^ ": a name beyond ASCII")));
      if not (Verified.admitted (to_text name)) then
        raise (Stop (Not (String.escaped name ^ ": no name of a record")));
      let status = Unix.lstat (Filename.concat folder name) in
      match status.Unix.st_kind with
      | Unix.S_DIR -> walk folder (name ^ "/") found
      | Unix.S_REG when status.Unix.st_nlink = 1 -> name :: found
      | Unix.S_REG -> raise (Stop (Not (name ^ " has a second hard link")))
      | _ -> raise (Stop (Not (name ^ " is neither a file nor a folder"))))
    found entries

let difference here listed =
  let pairs = List.map (fun (n, d) -> (to_string n, to_string d)) in
  let here = pairs here and listed = pairs listed in
  let lacks other (name, _) = not (List.mem_assoc name other) in
  match List.find_opt (lacks listed) here, List.find_opt (lacks here) listed with
  | Some (name, _), _ -> name ^ " is extra"
  | None, Some (name, _) -> name ^ " is missing"
  | None, None -> (
      match List.find_opt (fun (name, digest) -> List.assoc name here <> digest) listed with
      | Some (name, _) -> name ^ " changed"
      | None -> sums ^ " covers what it cannot, not what it must, or names that differ in case alone")

let judge folder =
  try
    (match Unix.lstat folder with
     | { Unix.st_kind = Unix.S_DIR; _ } -> ()
     | _ | exception Unix.Unix_error _ -> raise (Stop (Unusable "not a folder")));
    let names = List.sort compare (walk folder "" []) in
    if not (List.mem sums names) then raise (Stop (Not ("there is no " ^ sums)));
    let manifest = with_regular (Filename.concat folder sums) (fun size channel ->
        if size > limit then raise (Stop (Unjudged (sums ^ " is larger than this checker reads")));
        really_input_string channel size) in
    let covered = List.filter (fun name -> name <> sums && name <> envelope) names in
    let digest name = with_regular (Filename.concat folder name) (fun _ -> hash_channel) in
    let here = List.map (fun name -> (to_text name, to_text (digest name))) covered in
    let text = to_text manifest in
    let signed = List.mem envelope names in
    if Verified.accepts signed here text then
      Intact (List.length here, hex (Cryptokit.hash_string (Cryptokit.Hash.sha512 ()) manifest))
    else if not (is_ascii manifest) then Unjudged (sums ^ " is not ASCII")
    else match Verified.parse Verified.admitted Verified.before text with
      | None -> Not (sums ^ " is no manifest of names of a record, in order, each once")
      | Some listed -> Not (difference here listed)
  with
  | Stop verdict -> verdict
  | Unix.Unix_error (error, _, what) -> Not (what ^ ": " ^ Unix.error_message error)
  | Sys_error reason -> Not reason
  | End_of_file -> Not "a file changed while it was read"
  | Stack_overflow -> Unjudged (sums ^ " is larger than this checker reads")

let say folder =
  let code, words = match judge folder with
    | Intact (files, identity) -> 0, Printf.sprintf "intact, %d files, identity %s" files identity
    | Not reason -> 1, "not intact: " ^ reason
    | Unusable reason -> 2, reason
    | Unjudged reason -> 3, "not judged: " ^ reason in
  Printf.printf "%s: %s\n%!" (String.escaped folder) words;
  code

let worst a b = if a = 1 || b = 1 then 1 else max a b

let lines work =
  let rec next code =
    match input_line stdin with
    | line -> next (worst code (work line))
    | exception End_of_file -> code in
  next 0

let say_name line =
  match Cryptokit.transform_string (Cryptokit.Hexa.decode ()) line with
  | name ->
      let yes = Verified.admitted (to_text name) in
      print_endline (if yes then "yes" else "no");
      if yes then 0 else 1
  | exception Cryptokit.Error _ -> print_endline "not hex"; 2

let () =
  match List.tl (Array.to_list Sys.argv) with
  | [] ->
      prerr_endline "usage: checker FOLDER ... | checker - | checker --names";
      exit 2
  | [ "-" ] -> exit (lines say)
  | [ "--names" ] -> exit (lines say_name)
  | folders -> exit (List.fold_left (fun code folder -> worst code (say folder)) 0 folders)
