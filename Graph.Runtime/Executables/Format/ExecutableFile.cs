namespace Graphene.Runtime;

/// <summary>An executable file whose header and table were read and found sound; see <see cref="FileLayout"/>.</summary>
/// <remarks>Nothing in a file is trusted: whatever is wrong with it is an <see cref="InvalidDataException"/>.</remarks>
internal sealed unsafe class ExecutableFile
{
    private readonly FileSource _source;
    private readonly FileSection[] _sections;
    private readonly byte[] _head;
    private readonly int _plans;

    private ExecutableFile(FileSource source, FileHeader header, FileSection[] sections, byte[] head)
    {
        _source = source;
        Header = header;
        _sections = sections;
        _head = head;
        _plans = CountOf(FileSectionKind.Plan);
        Objects = CountOf(FileSectionKind.Object);
    }

    /// <summary>The header.</summary>
    public FileHeader Header { get; }

    /// <summary>What there is, once <see cref="ReadIndex"/> has read it.</summary>
    public FileIndex Index { get; private set; } = null!;

    /// <summary>The number of objects.</summary>
    public int Objects { get; }

    /// <summary>The sections in order.</summary>
    public FileSection[] Sections => _sections;

    /// <summary>Where the constants are; null when there are none.</summary>
    public FileSection? ConstantSection => _sections[^1].Kind == FileSectionKind.Constants ? _sections[^1] : null;

    /// <summary>What a signature signs: the header and the table.</summary>
    public ReadOnlySpan<byte> Head => _head;

    /// <summary>Reads what comes before the sections, and the index.</summary>
    public static ExecutableFile Open(FileSource source)
    {
        ExecutableFile file = OpenHead(source);
        file.ReadIndex();
        return file;
    }

    /// <summary>Reads what comes before the sections, which says where the constants are and what their hash is.</summary>
    public static ExecutableFile OpenHead(FileSource source)
    {
        FileHeader header = FileHeader.Read(source.Read(0, Math.Min(source.Length, FileLayout.RecordBytes)), source.Length);
        byte[] head = source.Read(0, FileLayout.RecordBytes * (1L + header.Sections));
        if (!SectionHash.AreEqual(TableHash(header.Hashes, head), header.TableHash))
        {
            throw new InvalidDataException("its section table is damaged");
        }
        var sections = new FileSection[header.Sections];
        for (int i = 0; i < sections.Length; i++)
        {
            sections[i] = FileSection.Read(head, (i + 1) * FileLayout.RecordBytes);
        }
        Check(sections, source.Length - header.SealBytes);
        return new ExecutableFile(source, header, sections, head);
    }

    /// <summary>Reads and verifies the index.</summary>
    public void ReadIndex()
    {
        FileIndex index = FileIndexReader.Read(Read(_sections[0]));
        if (index.Problem(_plans, Objects) is { } problem)
        {
            throw new InvalidDataException($"its index is not sound: {problem}");
        }
        Index = index;
    }

    /// <summary>The seal; null when the file is not signed. It says who signed only when <see cref="FileSeal.IsOf"/> agrees.</summary>
    public FileSeal? ReadSeal() => Header.SealBytes == 0
        ? null
        : FileSeal.Read(_source.Read(_source.Length - Header.SealBytes, Header.SealBytes), Header.Hashes);

    /// <summary>Reads and verifies a plan, and the names of its objects.</summary>
    public ExecutablePlan ReadPlan(int number, out ObjectNames names)
    {
        ExecutablePlan plan = PlanReader.Read(Read(_sections[1 + number]), out string[] read, Header.Version);
        int[] objects = Index.Plans[number];
        if (read.Length != objects.Length)
        {
            throw new InvalidDataException($"a plan names {read.Length} objects and has {objects.Length}");
        }
        if ((PlanVerifier.Check(plan, ConstantSection?.Length ?? 0) ?? PlanVerifier.CheckObjects(plan, read.Length)) is { } problem)
        {
            throw new InvalidDataException($"its plan is not sound: {problem}");
        }
        names = new ObjectNames(read, objects);
        return plan;
    }

    /// <summary>Reads and verifies an object.</summary>
    public byte[] ReadObject(int number) => Read(_sections[1 + _plans + number]);

    /// <summary>The constants of all plans.</summary>
    /// <param name="verify">Whether to compare them with their hash.</param>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public ConstantData Constants(bool verify)
    {
        ConstantData data = MapConstants();
        if (verify && ConstantSection is { } section
            && !SectionHash.AreEqual(PendingHash.Begin(Header.Hashes, data.Pointer, data.Length, data.IsMapped).End(), section.Hash))
        {
            data.Dispose();
            throw ConstantCheck.Damaged();
        }
        return data;
    }

    /// <summary>The constants of all plans, which nobody has compared with their hash.</summary>
    public ConstantData MapConstants() => ConstantSection is { } section ? _source.Constants(section) : ConstantData.Empty;

    /// <summary>Begins to compare constants with their hash; null when there are none.</summary>
    /// <param name="data">What <see cref="MapConstants"/> gave.</param>
    /// <param name="loadsAhead">Whether a thread that helps does <see cref="LoadingAhead"/> then.</param>
    public ConstantCheck? BeginCheck(ConstantData data, bool loadsAhead) => ConstantSection is { } section
        ? new ConstantCheck(PendingHash.BeginAhead(Header.Hashes, data.Pointer, data.Length, data.IsMapped, loadsAhead), section.Hash)
        : null;

    /// <summary>Verifies what lies between the sections, and the sections that nobody reads.</summary>
    /// <param name="isRead">Says which plans and objects were read, by section.</param>
    public void VerifyRest(bool[] isRead)
    {
        long end = FileLayout.RecordBytes * (1L + _sections.Length);
        for (int i = 0; i < _sections.Length; i++)
        {
            RequireZeros(end, _sections[i].Offset);
            end = _sections[i].End;
            if (i > 0 && !isRead[i] && _sections[i].Kind != FileSectionKind.Constants)
            {
                Read(_sections[i]);
            }
        }
        RequireZeros(end, _source.Length - Header.SealBytes);
    }

    /// <summary>The section of a plan.</summary>
    public static int SectionOfPlan(int number) => 1 + number;

    /// <summary>The section of an object.</summary>
    public int SectionOfObject(int number) => 1 + _plans + number;

    private static byte[] TableHash(FileHashKind kind, byte[] head)
    {
        fixed (byte* bytes = head)
        {
            return SectionHash.Compute(kind, bytes + FileLayout.RecordBytes, head.Length - FileLayout.RecordBytes);
        }
    }

    private byte[] Read(FileSection section)
    {
        byte[] bytes = _source.Read(section.Offset, section.Length);
        return SectionHash.AreEqual(SectionHash.Compute(Header.Hashes, bytes), section.Hash)
            ? bytes
            : throw new InvalidDataException($"the {section.Kind} section is damaged: its hash differs");
    }

    private void RequireZeros(long begin, long end)
    {
        if (end <= begin)
        {
            return;
        }
        foreach (byte between in _source.Read(begin, end - begin))
        {
            if (between != 0)
            {
                throw new InvalidDataException($"there is something between sections, from byte {begin} to {end}");
            }
        }
    }

    private int CountOf(FileSectionKind kind)
    {
        int count = 0;
        foreach (FileSection section in _sections)
        {
            count += section.Kind == kind ? 1 : 0;
        }
        return count;
    }

    // The index, plans, objects, constants, seal; with gaps that alignment asks for and no others.
    private static void Check(FileSection[] sections, long contentEnd)
    {
        long end = FileLayout.RecordBytes * (1L + sections.Length);
        int last = 0;
        for (int i = 0; i < sections.Length; i++)
        {
            FileSection section = sections[i];
            int place = PlaceOf(section.Kind);
            bool fits = place >= last
                && (i == 0 ? place == 0 : place > 0)
                && (place < 3 || i == sections.Length - 1)
                && section.Length >= 0
                && section.Length <= (place < 2 ? FileLayout.MaxPlanBytes : place == 2 ? Array.MaxLength : long.MaxValue)
                && end <= contentEnd
                && section.Offset == FileLayout.Align(end, FileLayout.AlignmentOf(section.Kind))
                && PlanVerifier.LiesInside(section.Offset, section.Length, contentEnd);
            if (!fits)
            {
                throw new InvalidDataException($"section {i} ({section.Length} bytes at {section.Offset}) is not possible");
            }
            last = place;
            end = section.End;
        }
        if (contentEnd - end >= FileLayout.RecordBytes)
        {
            throw new InvalidDataException($"{contentEnd - end} bytes follow the last section");
        }
    }

    private static int PlaceOf(FileSectionKind kind) => kind switch
    {
        FileSectionKind.Index => 0,
        FileSectionKind.Plan => 1,
        FileSectionKind.Object => 2,
        FileSectionKind.Constants => 3,
        _ => -1,
    };
}

/// <summary>What the objects of a plan are called, and which of the file's they are.</summary>
internal sealed record ObjectNames(string[] Names, int[] Numbers);
