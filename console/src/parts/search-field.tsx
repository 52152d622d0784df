import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';

/** The server takes whole addresses only: half of one is not asked for. */
export function isAddress(text: string): boolean {
  return /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text);
}

/** Asks the server when the typing pauses. */
export function SearchField({
  label,
  placeholder,
  value,
  onSearch,
  id,
  type = 'search',
}: {
  label: string;
  placeholder?: string;
  value: string | undefined;
  onSearch: (text: string | undefined) => void;
  id?: string;
  type?: 'search' | 'date';
}) {
  const [text, setText] = useState(value ?? '');
  const asked = useRef(value);
  const search = useDebouncedCallback((wanted: string | undefined) => {
    asked.current = wanted;
    onSearch(wanted);
  }, 250);
  // The browser's way back changes the address, and with it what is asked.
  useEffect(() => {
    if (value === asked.current) return;
    asked.current = value;
    setText(value ?? '');
  }, [value]);
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      type={type}
      value={text}
      id={id}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        search(currentTarget.value.trim() || undefined);
      }}
    />
  );
}
