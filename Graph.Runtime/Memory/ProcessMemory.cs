using System.Globalization;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>What the process keeps of the machine's memory beyond what it uses.</summary>
public static unsafe class ProcessMemory
{
    // Of smaller mappings little would come back.
    private const long BytesWorthAdvice = 256 << 10;

    // A larger heap takes long to collect, and belongs to a program that does more than compile.
    private const long LargestHeapInBytes = 256 << 20;

    /// <summary>
    /// Gives memory back that was needed and is no more: garbage, free blocks of the C library, and pages of files (code of libraries
    /// mostly) that are read from there again when somebody needs them.
    /// </summary>
    /// <remarks>Takes some ten milliseconds: for the moment between a phase that needs much and another one.</remarks>
    public static void Trim()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) <= LargestHeapInBytes)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        Libc.TrimHeap();
        foreach ((nuint start, nuint length) in UnchangedFilePages())
        {
            _ = Libc.Madvise((void*)start, length, Libc.MadviseDontNeed);
        }
    }

    /// <summary>
    /// The private mappings of files, as libraries are mapped, of which every page is as it is in the file; others would lose what was
    /// written to them. Shared mappings are data that somebody works with.
    /// </summary>
    internal static IReadOnlyList<(nuint Start, nuint Length)> UnchangedFilePages()
    {
        try
        {
            return Parse(File.ReadLines("/proc/self/smaps"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it would only have saved memory
        }
    }

    // A line with the addresses and the name of a mapping, then one for each number about it:
    //
    //   7f0000000000-7f0000200000 r-xp 00001000 fe:00 1234     /usr/lib/libsomething.so
    //   Rss:                 212 kB
    //   Anonymous:             0 kB
    internal static List<(nuint Start, nuint Length)> Parse(IEnumerable<string> lines)
    {
        var found = new List<(nuint, nuint)>();
        (nuint Start, nuint Length) mapping = default;
        bool isFile = false;
        long resident = 0;
        foreach (string line in lines)
        {
            if (TryReadAddresses(line, out (nuint Start, nuint Length) next))
            {
                mapping = next;
                isFile = IsPrivate(line) && line.Contains(" /", StringComparison.Ordinal);
                resident = 0;
            }
            else if (line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                resident = Kilobytes(line) << 10;
            }
            else if (isFile && resident >= BytesWorthAdvice &&
                line.StartsWith("Anonymous:", StringComparison.Ordinal) && Kilobytes(line) == 0)
            {
                found.Add(mapping);
            }
        }
        return found;
    }

    // The last of the four letters behind the addresses.
    private static bool IsPrivate(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        return space + 4 < line.Length && line[space + 4] == 'p';
    }

    private static bool TryReadAddresses(string line, out (nuint Start, nuint Length) mapping)
    {
        mapping = default;
        int dash = line.IndexOf('-', StringComparison.Ordinal);
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (dash <= 0 || space < dash ||
            !nuint.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out nuint start) ||
            !nuint.TryParse(
                line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out nuint end) ||
            end <= start)
        {
            return false;
        }
        mapping = (start, end - start);
        return true;
    }

    // Minus one for what is no number, which is neither nothing nor much.
    private static long Kilobytes(string line)
    {
        ReadOnlySpan<char> value = line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim();
        int space = value.IndexOf(' ');
        ReadOnlySpan<char> digits = space < 0 ? value : value[..space];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1;
    }
}
