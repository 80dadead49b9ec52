using Graphene;
using Graphene.GpuCheck;

// Two halves: packing needs the compiler and libLLVM, checking needs the pack and a driver. See check.sh.
try
{
    return args switch
    {
        ["pack", var folder, .. var options] => Pack.Write(folder, CheckOptions.Parse(options)),
        ["check", var folder, .. var options] => Check.Run(folder, CheckOptions.Parse(options)),
        ["report", var folder, .. var options] => Check.WriteReport(folder, CheckOptions.Parse(options)),
        ["starts"] => 0,
        _ => Usage(),
    };
}
catch (Exception e) when (e is GraphException or IOException or UnauthorizedAccessException or ArgumentException or InvalidDataException)
{
    Console.Error.WriteLine($"gpu-check: {e.Message}");
    return 2;
}

static int Usage()
{
    Console.Error.WriteLine(
        """
        gpu-check pack FOLDER [--target sm_80,sm_90a | --device interpreter] [--only NAME]   compiles the suite; needs libLLVM for a GPU
        gpu-check check FOLDER [--device cuda|interpreter] [--only NAME] [--seconds N]       runs it; needs nothing but a driver
        gpu-check report FOLDER [--device cuda|interpreter]                                  writes report.md of what ran
        gpu-check starts                                                                     does nothing: the runner starts here
        """);
    return 2;
}
